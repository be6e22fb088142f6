"""Files that are made for one visitor, given out piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import IO

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

IN_MEMORY = 4_000_000
"""Bytes up to which a file is given out as a whole."""

_PIECE = 1 << 18


def file_response(file: IO[bytes], name: str, content_type: str) -> HttpResponseBase:
    """Return a download of `file` from its beginning; the file is closed at its end.

    Args:
        file: open; best one without a name on the disk, of which nothing stays.
        name: that the browser suggests; plain letters, digits, "-", "_" and ".".
        content_type: fixed, never the sender's.
    """
    size = file.seek(0, 2)
    file.seek(0)
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Content-Length": str(size),
        "Cache-Control": "no-store",
    }
    if size <= IN_MEMORY:
        with file:
            return HttpResponse(file.read(), content_type=content_type, headers=headers)
    return StreamingHttpResponse(_Pieces(file), content_type=content_type, headers=headers)


class _Pieces:
    """The content, read beside the loop of the server; closed also where nobody reads it to its end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self._file:
            while piece := await asyncio.to_thread(self._file.read, _PIECE):
                yield piece

    def close(self) -> None:
        """Django calls it at the end of the answer."""
        self._file.close()
