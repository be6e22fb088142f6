"""The frames of a session in a loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mien.live._threads import Newest
from mien.live.shots import LiveFrame

if TYPE_CHECKING:
    from mien.live.session import LiveSession


class Feed:
    """The frames of a session for a loop: each time the newest one that the loop has not had.

    Iteration ends with the session, and raises the error that ended it.
    """

    def __init__(self, session: LiveSession) -> None:
        self._session = session
        self._slot: Newest[LiveFrame] = Newest()
        self._end = session.subscribe(self._slot.put, on_end=lambda error: self._slot.close())

    @property
    def ended(self) -> bool:
        """No frame comes any more."""
        return self._slot.closed

    def take(self, timeout: float | None = None) -> LiveFrame | None:
        """Return the newest frame, waiting for one at most `timeout` seconds; None where none came.

        Raises:
            MienError: the source ended with it.
        """
        shot = self._slot.take(timeout)
        if shot is None and self._slot.closed and self._session.error is not None:
            raise self._session.error
        return shot

    def close(self) -> None:
        """Take no more frames; the session goes on."""
        self._end()
        self._slot.close(discard=True)

    def __iter__(self) -> Iterator[LiveFrame]:
        while (shot := self.take()) is not None:
            yield shot
