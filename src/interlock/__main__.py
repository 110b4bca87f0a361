"""The door of the program, for `interlock` and for `python -m interlock`.

Floor: the top. It does nothing but open the command line, so that a Ctrl+C while that loads is a sentence too.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Do what the command line says, and return the exit code."""
    try:
        # Loading it takes time, in which a person may change their mind.
        from interlock.cli import main as speak  # noqa: PLC0415
    except KeyboardInterrupt:
        sys.stderr.write("interlock: Interrupted before anything was started.\n")
        return 0
    return speak()


if __name__ == "__main__":
    sys.exit(main())
