"""What a film lost: frames that could not be decoded, and an end that is not there."""

from __future__ import annotations

from bisect import bisect_left, insort
from fractions import Fraction

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

_SHORT_S = 0.5  # that a film may end before its declared end: writers round, and guess the last duration
_SHORT_FRAMES = 3


class Losses:
    """Finds lost frames by what was sent to a decoder and did not come back.

    A decoder tells of an error when it gets to it, some frames early or late, and frames come in another
    order than they lie in the file. So a frame is lost where the decoder complained and a packet's time was
    passed over. Times are those of the stream's own clock.
    """

    def __init__(self) -> None:
        self._sent: list[int] = []
        self._errors = 0
        self._untimed = 0

    def sent(self, pts: int | None) -> None:
        """Note a packet that is about to be decoded."""
        if pts is not None:
            insort(self._sent, pts)

    def failed(self, pts: int | None) -> None:
        """Note an error, at a packet with this time or without one."""
        if pts is None:
            self._untimed += 1
        else:
            self._errors += 1

    def before(self, pts: int | None) -> int:
        """Return how many frames were lost before this one, which came well, and after the one before it."""
        untimed, self._untimed = self._untimed, 0
        if pts is None:
            return untimed
        place = bisect_left(self._sent, pts)
        passed = self._sent[:place]
        del self._sent[: place + (place < len(self._sent) and self._sent[place] == pts)]
        # Without an error it is a packet that was never meant to be shown.
        if not self._errors:
            return untimed
        self._errors = max(0, self._errors - len(passed))
        return untimed + len(passed)

    def left(self) -> int:
        """Return how many frames were lost after the last one that came."""
        return self._untimed + max(self._errors, len(self._sent) if self._errors else 0)


def missing_until(
    container: InputContainer, stream: VideoStream, start: Fraction, last_s: float, frame_s: float
) -> float | None:
    """Return when the pictures should have ended, in seconds, where they ended earlier; None otherwise.

    Args:
        container: as opened.
        stream: of the pictures.
        start: when the film begins by its own clock.
        last_s: of the last frame that came.
        frame_s: how long it is shown.
    """
    declared, is_pictures = _declared_end(container, stream, start)
    short_s = max(_SHORT_S, _SHORT_FRAMES * frame_s)
    if declared is None or declared - (last_s + frame_s) <= short_s:
        return None
    if not is_pictures and declared - _sound_end(container, start, last_s) <= short_s:
        return None  # only the sound is longer
    return declared


def shown_for(frame: VideoFrame, number: int, time_s: float) -> float:
    """Return how long a frame is shown, as the file says or as the frames before it were on average."""
    declared = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0
    return max(declared, time_s / number if number else 0.0)


def _declared_end(
    container: InputContainer, stream: VideoStream, start: Fraction
) -> tuple[float | None, bool]:
    """Return the end as the file declares it, and whether it is that of the pictures or of all there is."""
    if stream.duration and stream.time_base:
        ends = float(stream.duration * stream.time_base)
        if stream.frames and stream.average_rate:  # what AVI declares, whatever is left of the file
            ends = max(ends, float(stream.frames / stream.average_rate))
        return ends, True
    if not container.duration:
        return None, False
    whole = container.duration / av.time_base - float(start)
    tagged = _clock(stream.metadata.get("DURATION", ""))
    if tagged is not None:
        return min(whole, tagged - float(start)), True
    return whole, not container.streams.audio


def _sound_end(container: InputContainer, start: Fraction, from_s: float) -> float:
    """Return when the last sound is heard, found in what lies around `from_s` and after."""
    ends = 0.0
    try:
        container.seek(int((from_s + start) * av.time_base))
        for packet in container.demux(container.streams.audio[0]):
            if packet.pts is not None and packet.time_base is not None:
                ends = float((packet.pts + (packet.duration or 0)) * packet.time_base - start)
    except FFmpegError:
        pass
    return ends


def _clock(text: str) -> float | None:
    """Read HH:MM:SS.fraction, as Matroska's writers note a track's end."""
    try:
        hours, minutes, seconds = text.split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    except ValueError:
        return None
