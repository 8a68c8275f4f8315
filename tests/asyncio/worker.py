"""A child process that serves on standard input and output; its words say how it misbehaves; asserts nothing."""

import os
import signal
import subprocess
import sys
import time

import ampkit
from ampkit import Peer, Service
from tests.asyncio.office import Note, Office, Raise, Stubborn, Sum, Total


class Worker(Office):
    """Responds as the office does; some of it in ways that only a process of its own can."""

    def raise_(self, command: Raise) -> None:
        """End this process as the name says."""
        sys.stderr.write(f"{command.name}\n")
        sys.stderr.flush()
        if command.name == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        os._exit(int(command.name))

    def note(self, command: Note) -> None:
        """Print it in every way there is."""
        print(command.text, flush=True)
        os.write(1, b"number 1\n")
        subprocess.run("echo by another process; cat", shell=True, check=True)
        print(sys.stdin.read(), end="", flush=True)

    async def stubborn(self, command: Stubborn) -> None:  # noqa: ARG002
        """Block this process, which does not heed SIGTERM."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("stubborn", file=sys.stderr, flush=True)
        time.sleep(60)  # noqa: ASYNC251 - it is to block; the process is ended long before


class Caller(Service):
    """Asks back."""

    @Sum.responder
    async def sum(self, command: Sum, peer: Peer) -> Total:
        """Let the other end add."""
        return await peer.call(Sum(a=command.a, b=command.b + 1))


SERVICES = {"worker": Worker, "caller": Caller}

if __name__ == "__main__":
    ampkit.run(ampkit.serve_stdio(SERVICES[sys.argv[1]]()))
