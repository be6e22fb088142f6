"""The command line: parsing and printing only; one file a command."""

from __future__ import annotations

from collections.abc import Sequence


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; see `mien.cli._exits`.

    Args:
        args: without the program's name; without it those of the process.
    """
    from mien.cli._main import run

    return run(args)
