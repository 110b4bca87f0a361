"""Lets `python -m interlock` be the same as `interlock`.

Floor: the top. It does nothing but call the command line.
"""

from __future__ import annotations

import sys

from interlock.cli import main

if __name__ == "__main__":
    sys.exit(main())
