"""The command line: parsing and printing only; one file a command."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; see `mien.cli._exits`.

    Args:
        args: without the program's name; without it those of the process.
    """
    try:
        from mien.cli._main import run

        return run(args)
    except KeyboardInterrupt:
        # While the libraries are still being loaded; a command that runs says more.
        print("mien: interrupted", file=sys.stderr)
        return 130
