"""Faults to plant in our module, and the suite that must notice each; runs nothing."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ampkit.twisted import amp
from ampkit.twisted._arguments import DateTime

AMP_SUITE = "twisted.test.test_amp"
TRIAL_SUITE = "twisted.trial._dist.test"


@dataclass(frozen=True)
class Fault:
    """`owner` gets `replacement`, made of what it has, under `name`."""

    suite: str
    owner: Any
    name: str
    replacement: Callable[[Any], Any]

    def plant(self) -> None:
        """Break it in this process."""
        setattr(self.owner, self.name, self.replacement(getattr(self.owner, self.name)))


def secure_nothing(_: Any) -> Any:
    """Take a connection for a secure one that is not."""

    def start(self: Any, certificate: Any, *_: Any) -> None:
        self.hostCertificate = certificate
        self._unprepareTLS()

    return start


def never_fatal(right: Any) -> Any:
    """Stay connected behind a fatal error."""
    return lambda self, failure, box: amp.Box(right(self, failure, box))


def undemanding(right: Any) -> Any:
    """Take a box that is neither ask nor answer for a good one."""

    def receive(self: Any, box: Any) -> None:
        with suppress(amp.NoEmptyBoxes):
            right(self, box)

    return receive


def unknown(_: Any) -> Any:
    """Forget which errors a command declares."""
    return classmethod(lambda _, failure: amp.UnknownRemoteError(failure.value.description))


FAULTS = {
    "a switch loses the bytes behind it": Fault(AMP_SUITE, amp.BinaryBoxProtocol, "_takeRest", lambda _: lambda _: b""),
    "descriptors are mixed up": Fault(AMP_SUITE, amp.Descriptor, "fromStringProto", lambda _: lambda *_: 0),
    "fatal errors are not fatal": Fault(AMP_SUITE, amp.BoxDispatcher, "failureToBox", never_fatal),
    "declared errors are unknown": Fault(AMP_SUITE, amp.Command, "_knownError", unknown),
    "empty boxes are let pass": Fault(AMP_SUITE, amp.BoxDispatcher, "ampBoxReceived", undemanding),
    "moments lose their offset": Fault(
        AMP_SUITE,
        DateTime,
        "toString",
        lambda right: lambda self, moment: right(self, moment.replace(tzinfo=amp.utc)),
    ),
    "nothing is secured": Fault(AMP_SUITE, amp.BinaryBoxProtocol, "_startTLS", secure_nothing),
    "a class without upcall stays uninitialised": Fault(
        TRIAL_SUITE, amp.AMP, "makeConnection", lambda _: amp.BinaryBoxProtocol.makeConnection
    ),
}
