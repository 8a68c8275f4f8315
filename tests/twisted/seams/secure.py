"""A program in which both modules secure connections between each other by StartTLS; prints what came of it."""

# mypy: allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators, disable-error-code="attr-defined"

from itertools import product
from typing import Any

from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.protocol import Factory
from twisted.internet.ssl import DN, KeyPair
from twisted.internet.task import react
from twisted.protocols import amp as stock

from ampkit.twisted import amp as ours
from tests.twisted.seams.common import calculator, commands

MODULES = {"stock": stock, "ours": ours}


def certificate() -> Any:
    """Make a certificate that vouches for itself."""
    key = KeyPair.generate(size=2048)
    request = key.certificateRequest(DN(CN="self"))
    return key.newCertificate(key.signCertificateRequest(DN(CN="self"), request, lambda _: True, 1))


def securing(amp: Any, own: Any) -> Any:
    """A class that presents a certificate, and trusts nothing else."""

    class Securing(calculator(amp)):  # type: ignore[misc]
        @amp.StartTLS.responder
        def start(self) -> dict[str, Any]:
            return {"tls_localCertificate": own, "tls_verifyAuthorities": [own]}

    return Securing


async def secure(reactor: Any, near: str, other: str, own: Any) -> None:
    """Connect, start TLS, and call both ways; one call is made while TLS is being negotiated."""
    amp, far = MODULES[near], MODULES[other]
    server = securing(amp, own)()
    port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(Factory.forProtocol(lambda: server))
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port.getHost().port)
    client = await connectProtocol(endpoint, calculator(far)())
    started = client.callRemote(far.StartTLS, tls_localCertificate=own, tls_verifyAuthorities=[own])
    meanwhile = client.callRemote(commands(far).Sum, a=13, b=81)
    await started
    totals = (await meanwhile)["total"], (await server.callRemote(commands(amp).Sum, a=1, b=2))["total"]
    known = {each.peerCertificate.digest() == own.digest() for each in (client, server)}
    print(near, other, *totals, *known)
    client.transport.loseConnection()
    await port.stopListening()


async def main(reactor: Any) -> None:
    """Let each module be either end."""
    own = certificate()
    for near, other in product(MODULES, MODULES):
        await secure(reactor, near, other, own)


if __name__ == "__main__":
    react(main)
