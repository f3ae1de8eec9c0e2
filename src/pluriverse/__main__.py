"""`python -m pluriverse` is the command `pluriverse`."""

import os
import sys

if sys.path[:1] == [os.getcwd()]:  # noqa: PTH109
    del sys.path[0]  # `python -m` puts the current folder first; no file in it shall pass for a module

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
