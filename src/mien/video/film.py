"""Film files, read through FFmpeg: true timestamps, upright frames, and only the one file is opened."""

from __future__ import annotations

import os
from bisect import bisect_left, insort
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from mien.core.errors import VideoFormatError, VideoLimitError
from mien.core.files import reason, shown
from mien.core.formats import picture_suffix
from mien.core.video_options import VideoOptions
from mien.video.decoded import DecodedFrame
from mien.video.frames import Choice, Damage, Frame, SourceInfo
from mien.video.losses import Losses, missing_until, shown_for

FORMATS = "MP4, MOV, MKV, WebM, AVI and GIF"
_HEAD = 16  # bytes that tell a photo
_DEMUXERS = "mov,matroska,webm,avi,gif"
_DECODERS = ("h264", "hevc", "vp8", "vp9", "av1", "libdav1d", "mpeg4", "mjpeg", "gif")
_DECODER_NAMES = "H.264, HEVC, VP8, VP9, AV1, MPEG-4, MJPEG and GIF"


class Film:
    """The frames of a film file, in the order of time; iterate once.

    Frames that cannot be decoded are left out, counted and told by `damage`; the others keep their index.

    Args:
        path: of the file.
        options: which frames are wanted.
        max_pixels: of a frame; a film with larger ones is refused unread.

    Raises:
        VideoFormatError: the file is missing, is no film, has no pictures, or is in no format read here.
        VideoLimitError: its frames are too large, or too many.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        options: VideoOptions | None = None,
        *,
        max_pixels: int = 50_000_000,
    ) -> None:
        self._path = Path(path)
        self._options = options or VideoOptions()
        self._max_pixels = max_pixels
        self._container = open_film(self._path)
        self._damage: list[Damage] = []
        try:
            self._stream = _pictures(self._container, self._path)
            self.info = self._examined()
        except BaseException:
            self.close()
            raise

    @property
    def damage(self) -> tuple[Damage, ...]:
        """Stretches that could not be decoded, among what was read so far."""
        return tuple(self._damage)

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def __iter__(self) -> Iterator[Frame]:
        choice, losses = Choice(self._options), Losses()
        number, came, last_s, frame_s = self._seek(), 0, 0.0, 0.0
        for decoded in self._decoded(losses):
            lost = losses.before(decoded.pts)
            number += lost
            self._check_number(number)
            time_s = self._time(decoded, number)
            if lost:
                self._damage.append(Damage(last_s, time_s, lost))
            came, last_s, frame_s = came + 1, time_s, shown_for(decoded, number, time_s)
            if choice.is_past(time_s):
                return
            if choice.takes(number, time_s):
                yield DecodedFrame(number, time_s, decoded, self._size)
            number += 1
        self._note_end(losses.left(), came, last_s, frame_s)

    def _note_end(self, lost: int, came: int, last_s: float, frame_s: float) -> None:
        """Say what is missing after the last frame, at `last_s`."""
        if not came and lost:
            raise VideoFormatError(f"none of the frames in {shown(self._path)} can be decoded; it is damaged")
        if not came:
            raise VideoFormatError(f"{shown(self._path)} holds no frames; it may not have been copied whole")
        end_s = missing_until(self._container, self._stream, self._start, last_s, frame_s)
        if end_s is not None:
            end_s = min(end_s, self._options.end or end_s)
            lost = max(lost, round((end_s - last_s) / frame_s) - 1 if frame_s else 1)
        if lost:
            self._damage.append(Damage(last_s, last_s if end_s is None else end_s, lost))

    def _examined(self) -> SourceInfo:
        stream, declared = self._stream, self._stream.codec_context
        if declared.name not in _DECODERS:
            raise VideoFormatError(
                f"{shown(self._path)} is encoded as {declared.name}; Mien reads {_DECODER_NAMES}"
            )
        width, height = declared.width, declared.height
        if width < 1 and self._container.format.name == "gif":
            width, height = _gif_size(self._path)  # FFmpeg keeps no size that it would not decode
        if width * height > self._max_pixels:
            raise VideoLimitError(
                f"{shown(self._path)} has frames of {width}×{height} pixels, more than max_pixels, "
                f"{self._max_pixels:,}; raise it if the film is meant"
            )
        if width < 1 or height < 1:
            raise VideoFormatError(
                f"{shown(self._path)} does not say how large its frames are; it is damaged"
            )
        # A quarter turn swaps the sides; only a decoded frame tells of it.
        rate = stream.average_rate or stream.guessed_rate
        duration = _duration(self._container, stream)
        frames = stream.frames or (round(duration * rate) if duration and rate else None)
        self._check_number(frames or 0)
        self._start = _start(self._container, stream)
        self._rate = rate or Fraction(25)
        first = self._peek()
        turned = first is not None and first.rotation % 180 != 0
        self._size = (height, width) if turned else (width, height)
        return SourceInfo(
            name=os.fspath(self._path),
            width=self._size[0],
            height=self._size[1],
            rate=float(rate) if rate else None,
            duration_s=duration,
            frames=frames,
            codec=declared.name,
            has_sound=bool(self._container.streams.audio),
        )

    def _peek(self) -> VideoFrame | None:
        """Decode one frame and go back to the start."""
        first = next(self._decoded(Losses()), None)
        self._container.close()
        self._container = open_film(self._path)
        self._stream = _pictures(self._container, self._path)
        return first

    def _decoded(self, losses: Losses) -> Iterator[VideoFrame]:
        """Give good frames, and note what was sent and what failed."""
        self._stream.thread_type = "AUTO"
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except FFmpegError:
                losses.failed(None)  # what follows in the file cannot be told apart any more
                return
            if packet is None:
                return
            losses.sent(packet.pts)
            if packet.is_corrupt:  # cut short; some decoders would make something up
                losses.failed(packet.pts)
                continue
            try:
                frames = packet.decode()
            except FFmpegError:
                losses.failed(packet.pts)
                continue
            for frame in frames:
                if frame.is_corrupt:
                    losses.failed(frame.pts)
                else:
                    yield frame

    def _seek(self) -> int:
        """Go to the last key frame before the start; return the index of the frame that comes next."""
        if not self._options.start:
            return 0
        wanted = self._start + self._options.start
        times: list[int] = []
        key, base = None, self._stream.time_base or Fraction(1)
        try:
            for packet in self._container.demux(self._stream):
                if packet.pts is None:
                    if packet.size:
                        break  # no timestamps to find a place by
                    continue
                insort(times, packet.pts)
                if packet.is_keyframe:
                    if packet.pts * base > wanted:
                        break
                    key = packet.pts
        except FFmpegError:
            pass
        self._container.seek(
            self._stream.start_time or 0 if key is None else key, stream=self._stream, backward=True
        )
        return 0 if key is None else bisect_left(times, key)

    def _check_number(self, frames: int) -> None:
        if frames > self._options.max_frames:
            raise VideoLimitError(
                f"{shown(self._path)} has more than max_frames, {self._options.max_frames:,}, frames; "
                "raise it if the film is meant"
            )

    def _time(self, frame: VideoFrame, number: int) -> float:
        if frame.pts is None or frame.time_base is None:
            return float(number / self._rate)
        return max(0.0, float(frame.pts * frame.time_base - self._start))


def open_film(path: Path) -> InputContainer:
    """Open a film and only it: no playlist, no other protocol and no other file is followed.

    Raises:
        VideoFormatError: it cannot be opened.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            if not head:
                raise VideoFormatError(
                    f"{shown(path)} is empty (0 bytes); it may not have been copied completely"
                )
    except (OSError, ValueError) as error:
        why = reason(error) if isinstance(error, OSError) else str(error)
        raise VideoFormatError(f"{shown(path)} cannot be read: {why}") from error
    if (suffix := picture_suffix(head)) is not None:
        raise VideoFormatError(
            f"{shown(path)} is a photo and no film; give it a name that ends in {suffix} and it is read as "
            "one"
        )
    limits = {"protocol_whitelist": "file", "format_whitelist": _DEMUXERS}
    try:
        return av.open(f"file:{path.absolute()}", options=limits)
    except (FFmpegError, ValueError) as error:
        raise VideoFormatError(
            f"{shown(path)} is no film that can be read: Mien reads {FORMATS}, and a recording that was cut "
            "off before its index was written has to be repaired first"
        ) from error


def _pictures(container: InputContainer, path: Path) -> VideoStream:
    streams = [stream for stream in container.streams.video if stream.codec_context is not None]
    if not streams:
        what = "only sound" if container.streams.audio else "nothing to see"
        raise VideoFormatError(f"{shown(path)} has no pictures in it, {what}")
    return streams[0]


def _gif_size(path: Path) -> tuple[int, int]:
    """Return the size that a GIF's head declares."""
    with path.open("rb") as file:
        head = file.read(10)
    return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")


def _duration(container: InputContainer, stream: VideoStream) -> float | None:
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return None if not container.duration else container.duration / av.time_base


def _start(container: InputContainer, stream: VideoStream) -> Fraction:
    """When the film begins by its own clock: what players call zero."""
    if container.start_time is not None:
        return Fraction(container.start_time, av.time_base)
    return stream.start_time * stream.time_base if stream.start_time and stream.time_base else Fraction(0)
