"""`python -m ampkit` is the `ampkit` command; knows nothing of it."""

import sys

from ampkit.cli import main

if __name__ == "__main__":
    sys.exit(main())
