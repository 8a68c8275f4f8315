"""A program that does not end when it is told to."""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("I stay")
    signal.pause()
