"""`python -m pluriverse` is the command `pluriverse`."""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
