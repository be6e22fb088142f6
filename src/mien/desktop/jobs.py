"""Long work in a thread of its own, with progress and cancel; the window only hears of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeAlias

from PySide6.QtCore import QObject, Signal

from mien.core.errors import MienError

_TELL_EVERY_S = 0.1


class Work(QObject):
    """One piece of work; its signals reach the thread of the window.

    Args:
        action: gets this object, hands out what it has with `found`, and asks `is_cancelled` often.

    Signals:
        progressed: a share in [0, 1], or -1 where nobody knows, and what is being done.
        found: whatever the work hands out.
        failed: the MienError that ended it early.
        finished: always the last one.
    """

    progressed = Signal(float, str)
    found = Signal(object)
    failed = Signal(object)
    finished = Signal()

    def __init__(self, action: Action) -> None:
        super().__init__()
        self._action = action
        self._cancelled = threading.Event()
        self._told = 0.0
        self._thread = threading.Thread(target=self._run, name="mien-desktop-work", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask it to end; what is done stays."""
        self._cancelled.set()

    def is_cancelled(self) -> bool:
        """Whether it was asked to end."""
        return self._cancelled.is_set()

    def join(self, timeout: float) -> None:
        """Wait for its end."""
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def tell(self, share: float, what: str) -> None:
        """Say how far it is, as often as the action likes; a few times a second are passed on."""
        now = time.monotonic()
        if now - self._told >= _TELL_EVERY_S or share >= 1:
            self._told = now
            self.progressed.emit(share, what)

    def _run(self) -> None:
        try:
            self._action(self)
        except MienError as error:
            self.failed.emit(error)
        except Exception as error:
            # Whatever a library raised, the window lives on and says so.
            self.failed.emit(MienError(f"{type(error).__name__}: {error}"))
        finally:
            self.finished.emit()


Action: TypeAlias = Callable[[Work], None]
