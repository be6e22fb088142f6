"""Films that browsers play: H.264 in MP4, with the sound of the film they were made from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self

import av
import cv2
import numpy as np
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from mien.core.errors import OptionError, OutputError, VideoFormatError
from mien.core.files import atomic_path, refusal, shown
from mien.core.marks import FILM_COMMENT
from mien.core.video_options import DEFAULT_RATE
from mien.video._disk import Disk
from mien.video.film import open_film

_MUXERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
SUFFIXES = tuple(_MUXERS)
_TICKS = 90_000  # a second
_COPIED = frozenset({"aac", "mp3"})  # that every browser plays in MP4; other sound becomes AAC
# Written in fragments that can be played whatever happens, and made an ordinary film at the end.
_MP4 = {
    "movflags": "hybrid_fragmented+empty_moov+default_base_moof",
    "frag_duration": "1000000",
    "flush_packets": "1",
}
# Without B-frames, whose delay shifts the pictures of a fragmented film against its sound.
_X264 = {"preset": "veryfast", "crf": "21", "bf": "0"}


class FilmWriter:
    """Writes frames to a film that appears when the `with` block ends, also after an interruption.

    A process that is killed leaves a hidden file beside it, which can be played up to its last second. Where
    the disk is full, what was written can be played up to about a second before that, and is kept.

    Args:
        path: ends in .mp4, .mov or .mkv.
        width, height: of the frames; an odd last row or column is left out, as H.264 wants it.
        rate: frames a second, about; each frame has its own time.
        sound: the film whose sound is taken; None for none.
        start_s: time of that film that the new one begins at.
        threads: of the encoder; 0 leaves it to the encoder.
        drawn: mark it as drawn by Mien, so that it is not taken for a film to analyse.
        spare: an interruption or a full disk leaves the film that was there before, and not what was written
            until then.

    Raises:
        OptionError: the suffix is unknown, or the frames are smaller than two pixels.
        OutputError: the file cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        width: int,
        height: int,
        *,
        rate: float = DEFAULT_RATE,
        sound: Path | None = None,
        start_s: float = 0.0,
        threads: int = 0,
        drawn: bool = False,
        spare: bool = False,
    ) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() not in SUFFIXES:
            raise OptionError(f"{shown(path)} is no name of a film; choose one of {', '.join(SUFFIXES)}")
        if min(width, height) < 2:
            raise OptionError(f"frames of {width}×{height} pixels are too small for a film")
        self._size = (width, height)
        self._rate = rate
        self._sound_from = sound
        self._start_s = start_s
        self._threads = threads
        self._drawn = drawn
        self._spare = spare
        self._stack = ExitStack()
        self._last = -1
        self._planes: NDArray[np.uint8] | None = None  # of one frame after the other
        self._error: OutputError | None = None

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._place = stack.enter_context(atomic_path(self.path))
            self._disk = stack.enter_context(Disk(self._place))
            self._container = self._guarded_open()
            if self._drawn:
                self._container.metadata["comment"] = FILM_COMMENT
            self._pictures = self._add_pictures()
            self._sound = None if self._sound_from is None else _sound(self._sound_from, self._container)
            if self._sound is not None:
                stack.callback(self._sound.close)
            stack.push(self._closing)  # left first: it still takes from the sound
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What was written before an interruption or a full disk is wanted, where it replaces nothing better.
        told = self._error is not None
        ended = kind is None or issubclass(kind, (KeyboardInterrupt, GeneratorExit, OutputError))
        if ended and not (kind is not None and (self._spare or self._last < 0)):
            self._stack.__exit__(None, None, None)
            if self._error is not None and not told:
                raise self._error
        else:
            self._stack.__exit__(kind, error, trace)

    def write(self, pixels: NDArray[np.uint8], time_s: float) -> None:
        """Add a frame, uint8 (height, width, 3) RGB, shown at `time_s` of the film it comes from.

        Raises:
            OptionError: the frame has another size.
            OutputError: the file cannot be written.
        """
        if pixels.shape[1::-1] != self._size:
            raise OptionError(f"the film has frames of {self._size}, not {pixels.shape[1::-1]}")
        tick = max(round((time_s - self._start_s) * _TICKS), self._last + 1, 0)
        self._last = tick
        width, height = self._pictures.width, self._pictures.height
        # OpenCV's conversion takes a third of the time of the scaler's.
        self._planes = np.asarray(
            cv2.cvtColor(
                np.ascontiguousarray(pixels[:height, :width]), cv2.COLOR_RGB2YUV_I420, dst=self._planes
            ),
            np.uint8,
        )
        frame = av.VideoFrame.from_ndarray(self._planes, format="yuv420p")
        frame.pts, frame.time_base = tick, Fraction(1, _TICKS)
        try:
            for packet in self._pictures.encode(frame):
                self._container.mux(packet)
            self._add_sound(time_s)
        except (FFmpegError, OSError) as error:
            self._error = _refusal(self.path, error)
            raise self._error from error
        self._check_disk()

    def _guarded_open(self) -> OutputContainer:
        suffix = self.path.suffix.lower()
        try:
            return av.open(
                self._disk,
                "w",
                format=_MUXERS[suffix],
                options={} if suffix == ".mkv" else _MP4,
            )
        except (FFmpegError, OSError) as error:
            raise _refusal(self.path, error) from error

    def _check_disk(self) -> None:
        if self._disk.error is not None and self._error is None:
            self._error = refusal(self.path, self._disk.error)
            raise self._error from self._disk.error

    def _add_pictures(self) -> VideoStream:
        rate = Fraction(self._rate).limit_denominator(1001)
        stream = self._container.add_stream("libx264", rate=rate, options=dict(_X264))
        stream.width, stream.height = self._size[0] // 2 * 2, self._size[1] // 2 * 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, _TICKS)
        stream.codec_context.thread_count = self._threads
        return stream

    def _add_sound(self, until_s: float) -> None:
        if self._sound is not None:
            for packet in self._sound.until(self._start_s, until_s):
                self._container.mux(packet)

    def _closing(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._last >= 0 and self._error is None:
                for packet in self._pictures.encode(None):
                    self._container.mux(packet)
                self._add_sound(self._start_s + self._last / _TICKS + 1 / self._rate)
                if self._sound is not None:
                    for packet in self._sound.rest():
                        self._container.mux(packet)
            self._container.close()
        except (FFmpegError, OSError) as failure:
            if kind is None and self._error is None:
                self._error = _refusal(self.path, failure)
                raise self._error from failure
        if self._disk.error is None or kind is not None:
            return
        self._error = self._error or refusal(self.path, self._disk.error)
        if self._spare or not _plays(self._place):
            raise self._error  # nothing that is worth a file


class _Sound:
    """The sound of a film, packet after packet."""

    def __init__(self, source: InputContainer, stream: AudioStream, out: OutputContainer) -> None:
        self._source, self._stream = source, stream
        self._copied = stream.codec_context.name in _COPIED
        if self._copied:
            self._target = out.add_stream_from_template(stream)
        else:
            self._target = out.add_stream("aac", rate=stream.codec_context.sample_rate or 48_000)
            self._resampler = AudioResampler("fltp", stream.codec_context.layout, self._target.rate)
        self._packets = source.demux(stream)
        self._waiting: Packet[AudioStream] | None = None
        self._ended = False
        base = source.start_time
        self._zero_s = 0.0 if base is None else base / av.time_base

    def until(self, start_s: float, end_s: float) -> Iterator[Packet[AudioStream]]:
        """Give what is heard from `start_s` on and before `end_s`, in the times of the new film."""
        while not self._ended:
            packet = self._waiting or self._next()
            self._waiting = None
            if packet is None or packet.pts is None or packet.time_base is None:
                self._ended = True
                return
            time_s = float(packet.pts * packet.time_base) - self._zero_s
            if time_s >= end_s:
                self._waiting = packet
                return
            if time_s >= start_s:
                yield from self._made(packet, start_s)

    def rest(self) -> Iterator[Packet[AudioStream]]:
        """Give what the encoder still holds."""
        if not self._copied:
            yield from self._target.encode(None)

    def close(self) -> None:
        """Close the film that the sound comes from."""
        self._source.close()

    def _next(self) -> Packet[AudioStream] | None:
        try:
            return next(self._packets, None)
        except FFmpegError:
            return None  # damaged: the rest is silent, and the pictures go on

    def _made(self, packet: Packet[AudioStream], start_s: float) -> Iterator[Packet[AudioStream]]:
        shift_s = self._zero_s + start_s
        if self._copied:
            assert packet.pts is not None
            assert packet.time_base is not None
            shift = round(shift_s / packet.time_base)
            packet.pts -= shift
            packet.dts = packet.pts
            packet.stream = self._target
            yield packet
            return
        try:
            frames = packet.decode()
        except FFmpegError:
            return
        for frame in frames:
            if frame.pts is not None and frame.time_base is not None:
                frame.pts -= round(shift_s / frame.time_base)
            for resampled in self._resampler.resample(frame):
                yield from self._target.encode(resampled)


def _sound(path: Path, out: OutputContainer) -> _Sound | None:
    """Return the sound of a film, or None where it has none."""
    try:
        source = open_film(path)
    except VideoFormatError:
        return None
    if not source.streams.audio or source.streams.audio[0].codec_context is None:
        source.close()
        return None
    return _Sound(source, source.streams.audio[0], out)


def _refusal(path: Path, error: FFmpegError | OSError) -> OutputError:
    return refusal(path, error if isinstance(error, OSError) else OSError(error.errno, error.strerror))


def _plays(path: Path) -> bool:
    """Tell whether a film that was not finished has a frame to show."""
    try:
        with open_film(path) as container:
            return next(container.decode(video=0), None) is not None
    except (VideoFormatError, FFmpegError):
        return False
