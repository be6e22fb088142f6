"""From what happened to an exit code, in one place."""

from __future__ import annotations

from mien.core.errors import MienError, ModelNotFoundError, OptionError

DONE = 0
SOME_FAILED = 1
WRONG_USAGE = 2
NOTHING_DONE = 3
INTERRUPTED = 130  # 128 and the number of SIGINT, as shells say it
PIPE_CLOSED = 141  # 128 and the number of SIGPIPE

HELP = (
    "[bold]Exit codes:[/bold] 0 done; 1 some inputs failed, or something needs attention; 2 wrong usage; "
    "3 nothing could be done; 130 interrupted with Ctrl-C."
)


def exit_code(error: MienError) -> int:
    """Return the exit code of a command that `error` ended."""
    if isinstance(error, (OptionError, ModelNotFoundError)):
        return WRONG_USAGE
    return NOTHING_DONE
