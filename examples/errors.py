"""What can go wrong with a call, and what the caller sees of it.

python examples/errors.py
"""

import asyncio
import logging

import ampkit
from ampkit import (
    Command,
    ConnectionLost,
    DeadlineExceeded,
    LocalProtocolError,
    RemoteError,
    Response,
    Service,
    UnhandledCommand,
    UnknownRemoteError,
)


class NotEnough(Exception):
    """There is less on the account than somebody wants."""


class Balance(Response):
    """What is left."""

    left: int


class Withdraw(Command[Balance], errors={NotEnough: "NOT_ENOUGH"}):
    """Take some off the account."""

    amount: int


class CarelessWithdraw(Command[Balance], name="Withdraw"):
    """The same command, as a program knows it that does not declare its error."""

    amount: int


class Audit(Command[None]):
    """Has a bug on the server."""


class Wait(Command[None]):
    """Takes for ever."""


class Rob(Command[None]):
    """Has no responder."""


class Account(Service):
    """Holds a hundred."""

    @Withdraw.responder
    def withdraw(self, command: Withdraw) -> Balance:
        if command.amount > 100:
            raise NotEnough(f"there is only 100, and you want {command.amount}")
        return Balance(left=100 - command.amount)

    @Audit.responder
    def audit(self, _: Audit) -> None:
        raise RuntimeError("a secret of the server")

    @Wait.responder
    async def wait(self, _: Wait) -> None:
        await asyncio.get_running_loop().create_future()


async def main() -> None:
    """Make one call after the other; each but the last leaves the connection as it was."""
    server = await ampkit.serve(Account(), "tcp://127.0.0.1:0")
    peer = await ampkit.connect(server.addresses[0])

    try:  # declared by the command: the exception itself
        await peer.call(Withdraw(amount=500))
    except NotEnough as error:
        print("NotEnough:", error)

    try:  # a code that the caller's command does not declare
        await peer.call(CarelessWithdraw(amount=500))
    except RemoteError as error:
        print("RemoteError:", error.code, "-", error.description)

    try:  # a bug of the server's: its log has the traceback, the caller learns nothing of it
        await peer.call(Audit())
    except UnknownRemoteError as error:
        print("UnknownRemoteError:", error)

    try:  # nobody there responds to this command
        await peer.call(Rob())
    except UnhandledCommand as error:
        print("UnhandledCommand:", error)

    try:  # the answer does not come in time
        await peer.call(Wait(), timeout=0.1)
    except DeadlineExceeded:
        print("DeadlineExceeded: no answer within a tenth of a second")

    try:  # a mistake of our own: nothing is sent
        await peer.call(Withdraw(amount="all"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    except LocalProtocolError as error:
        print("LocalProtocolError:", error)

    await server.close(grace=0)
    try:  # there is no other end any more
        await peer.call(Withdraw(amount=1))
    except ConnectionLost:
        print("ConnectionLost: the server has closed")


if __name__ == "__main__":
    logging.getLogger("ampkit").disabled = True  # the log of this server, which would show the bug's traceback
    ampkit.run(main())
