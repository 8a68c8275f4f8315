"""Both ends of the Sum benchmark on the Twisted face: the program for genuine Twisted, and one call before it."""

import runpy

import ampkit.twisted

ampkit.twisted.install()

if __name__ == "__main__":
    runpy.run_module("bench.ends.twisted_sum", run_name="__main__", alter_sys=True)
