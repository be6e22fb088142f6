"""What the log says: one line a message; a traceback only where the program failed."""

from __future__ import annotations

import logging


class OneLine(logging.Filter):
    """Takes the traceback from messages about what visitors did wrong, such as a foreign host name."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let the message pass, without its traceback where that tells nothing."""
        if record.name.startswith("django.security"):
            record.exc_info = record.exc_text = None
        return True
