"""Runs one codec question for one library in this process and prints what an operation costs; knows no library.

`python -m bench.codec MODULE LIBRARY COUNT`. The module has a function of the library's name, which imports the library
and returns the work: a callable that does some operations and returns how many they were.
"""

import importlib
import json
import sys
import time
from collections.abc import Callable


def repeat(work: Callable[[], int], count: int) -> int:
    """Do `work` until `count` operations are done; returns how many they were."""
    done = 0
    while done < count:
        operations = work()
        if not operations:
            raise ValueError("the work came out wrong")
        done += operations
    return done


def main(module: str, library: str, count: int) -> None:
    """Warm up, measure, print."""
    work = getattr(importlib.import_module(f"bench.codec.{module}"), library)()
    repeat(work, count // 4)
    start = time.process_time()
    done = repeat(work, count)
    print(json.dumps({"cost": (time.process_time() - start) / done * 1e6}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
