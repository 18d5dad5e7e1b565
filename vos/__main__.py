"""`python -m vos`: the command line of vos/cli."""

import sys

from vos.cli import main

if __name__ == "__main__":  # not in the processes that a command starts
    sys.exit(main())
