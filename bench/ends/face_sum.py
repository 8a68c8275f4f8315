"""The program for genuine Twisted on the Twisted face of ampkit: one call before it, no other difference."""

import runpy

import ampkit.twisted

ampkit.twisted.install()

if __name__ == "__main__":
    runpy.run_module("bench.ends.twisted_sum", run_name="__main__", alter_sys=True)
