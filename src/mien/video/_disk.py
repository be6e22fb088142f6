"""The file that a film is written to: where the disk is full, it stays what can be played."""

from __future__ import annotations

import os
from pathlib import Path
from types import TracebackType
from typing import Self

_BOX_HEAD = 16  # bytes: size and kind of a box of MP4, and its size again where that is large


class Disk:
    """A new file for a muxer. After the first failed write it takes no more, and does not fail again.

    What was written until then is brought back to where it was whole: what the muxer had begun to write over
    is restored, and an MP4 ends after its last whole fragment.

    Attributes:
        error: why a write failed; None where none did.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("r+b", buffering=0)
        self._size = 0
        self._before: list[tuple[int, bytes]] = []
        self.error: OSError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write(self, data: bytes) -> int:
        """Write all of `data`, as a muxer asks it."""
        if self.error is None:
            try:
                self._write(memoryview(data))
            except OSError as error:
                self.error = error
                self._restore()
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to another place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def _write(self, data: memoryview) -> None:
        place = self._file.tell()
        if place < self._size:  # only when a film is ended
            self._file.seek(place)
            self._before.append((place, os.pread(self._file.fileno(), len(data), place)))
        while data:
            data = data[self._file.write(data) :]
            self._size = max(self._size, self._file.tell())

    def _restore(self) -> None:
        for place, data in reversed(self._before):
            self._file.seek(place)
            self._file.write(data)  # over what is there, which needs no room
        self._size = self._file.seek(0, os.SEEK_END)
        if self._path.suffix.lower() != ".mkv":
            self._size = self._whole()
            self._file.truncate(self._size)

    def _whole(self) -> int:
        """Return where the last whole fragment of an MP4 ends; 0 where there is none."""
        place = ends = 0
        while True:
            head = os.pread(self._file.fileno(), _BOX_HEAD, place)
            size = int.from_bytes(head[:4], "big")
            if size == 1:
                size = int.from_bytes(head[8:16], "big")
            if len(head) < 8 or size < 8 or place + size > self._size:
                return ends
            place += size
            if head[4:8] == b"mdat":
                ends = place
