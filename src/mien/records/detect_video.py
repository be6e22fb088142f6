"""A film in the shape of an answer of `POST /detect-video`, as services for emotions in films give it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mien.core.errors import OptionError
from mien.core.film import FilmFrame
from mien.core.results import FrameAnalysis
from mien.records._json import dumps
from mien.records._text import open_text
from mien.records._writer import Writer
from mien.records.schema import Result

UNCERTAIN = "uncertain"
"""The emotion of a face for which none is likely enough; its confidence is that of the likeliest."""


class _Tally:
    """Counts what the summary says."""

    def __init__(self) -> None:
        self._frames = 0
        self._faces = 0
        self._stated = Counter[str]()

    def add(self, frame: FrameAnalysis) -> dict[str, Any]:
        """Count a frame and return its entry."""
        self._frames += 1
        self._faces += len(frame.faces)
        self._stated.update(face.emotion for face in frame.faces if face.emotion is not None)
        seconds = int(frame.time_s)
        return {
            "frame": frame.index,
            "timestamp": f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}",
            "faces": [
                {
                    "emotion": UNCERTAIN if face.emotion is None else face.emotion,
                    "confidence": face.confidence,
                    "box": [face.box.x, face.box.y, face.box.width, face.box.height],
                }
                for face in frame.faces
            ],
        }

    def summary(self) -> dict[str, Any]:
        """Return the summary of what was counted."""
        most = self._stated.most_common(1)
        return {
            "total_frames": self._frames,
            "faces_detected": self._faces,
            "dominant_emotion": most[0][0] if most else (UNCERTAIN if self._faces else None),
        }


def detect_video(frames: Iterable[FrameAnalysis]) -> dict[str, Any]:
    """Return frames as `{"results": [{"frame", "timestamp", "faces"}], "summary": {…}}`.

    `frame` is the index in the source, `timestamp` "HH:MM:SS", a face `{"emotion", "confidence", "box":
    [x, y, width, height]}`. The summary has `total_frames` (that were analysed), `faces_detected` in them,
    and `dominant_emotion`: stated for most faces, "uncertain" where none is stated, None without a face.
    """
    tally = _Tally()
    return {"results": [tally.add(frame) for frame in frames], "summary": tally.summary()}


class DetectVideoWriter(Writer):
    """Writes what `detect_video` returns, one frame a line, without keeping them."""

    def _open(self, target: Path) -> None:
        self._tally = _Tally()
        self._separator = "\n"
        self._file = open_text(target)
        self._file.write('{"results": [')

    def _write(self, item: Result) -> None:
        if not isinstance(item, FilmFrame):
            raise OptionError(f"only frames of films have this shape, not {type(item).__name__}")
        self._file.write(self._separator + dumps(self._tally.add(item.analysis)))
        self._separator = ",\n"

    def _close(self, *, failed: bool) -> None:
        with self._file:
            self._file.write(f'\n], "summary": {json.dumps(self._tally.summary(), ensure_ascii=False)}}}\n')
