"""All that is written about a film: tables frame by frame, and at the end what it came to."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path, PurePath
from types import TracebackType
from typing import Self

from mien.core.emotions import display_name
from mien.core.errors import MienError, OptionError, OutputError
from mien.core.files import atomic_path, ensure_folder, shown
from mien.core.film import Damage, FilmFrame, FilmHead
from mien.core.film_results import FilmSummary
from mien.core.formats import without_suffix
from mien.core.results import FrameAnalysis
from mien.figures import DARK, LIGHT, Band, Lane, Mark, Plot, film_timeline
from mien.records import (
    FORMATS,
    SUMMARY_FORMATS,
    DetectVideoWriter,
    Writer,
    open_writer,
    read_summary,
    subtitles,
)
from mien.video.timeline import Timeline

FRAME_SUFFIXES = tuple(suffix for suffix in FORMATS if suffix != ".json")
"""Formats of one file that hold every frame."""
SUFFIXES = (*FRAME_SUFFIXES, *SUMMARY_FORMATS, ".png", ".svg")
"""Formats of one file about a film; `.json` is its summary."""

_IN_FOLDER = (".jsonl", ".csv", ".parquet")
_SUBTITLES = {".srt": subtitles.srt, ".vtt": subtitles.vtt}
_STEPS = 600  # of the curves in the picture
_MOST_LANES = 20


class FilmOutputs:
    """Writes about one film, into a folder or one file; use it in a `with` block.

    When the block ends in an error, Ctrl-C among them, what was read until then is written all the same,
    and the summary says that it is not complete; but what an earlier run wrote completely stays as it was
    until the new results are complete. After a kill the unfinished `.jsonl` and `.csv` stay
    under a temporary name, whole up to the last frame.

    Args:
        target: a folder, made where missing, for everything; or a file, its format told by its suffix. A new
            folder with a dot in its name ends in a slash.
        head: of the film.
        language: of subtitles, ELAN documents and pictures, "en", "vi" or "ro".
        stem: how the files in a folder begin; the film's own name without its suffix where None.
        timeline: of the same film, where someone else adds the frames to it; one of its own without.
        annotated_from: second of this film at which an annotated one begins, STEM-annotated.mp4, that someone
            else writes into the folder: it gets subtitles of its own, which fit it. None where there is none.
        spare: whether an error leaves earlier files as they were; `earlier_stays` decides where None.

    Attributes:
        paths: that are written, among them those that appear only at the end.
        left_out: file names that were not written, each with the package that it needs.
        summary: what the film came to, once the block has ended.

    Raises:
        OptionError: the suffix or the language is unknown.
        MissingExtraError: the one file needs a package that is not installed.
        OutputError: the folder or a file in it cannot be written.
    """

    def __init__(
        self,
        target: str | os.PathLike[str],
        head: FilmHead,
        *,
        language: str = "en",
        stem: str | None = None,
        timeline: Timeline | None = None,
        spare: bool | None = None,
        annotated_from: float | None = None,
    ) -> None:
        display_name(None, language)  # an unknown language is told before the work
        self._head = head
        self._language = language
        self._adds = timeline is None
        self._timeline = timeline or Timeline(head)
        self._damage: tuple[Damage, ...] = ()
        self._stack = ExitStack()
        self._writers: list[Writer] = []
        self._count = 0
        self._zero_s = annotated_from
        self._beside: list[Path] = []
        self._at_end: list[Path] = []
        self.left_out: dict[str, str] = {}
        self.summary: FilmSummary | None = None
        path = Path(target)
        self._spare = earlier_stays(path, stem or film_stem(head.source.name)) if spare is None else spare
        if not path.suffix or path.is_dir() or os.fspath(target).endswith((os.sep, "/")):
            self._plan_folder(ensure_folder(path), stem or film_stem(head.source.name))
        elif path.suffix.lower() in SUFFIXES:
            self._plan_file(path)
        else:
            known = ", ".join(SUFFIXES)
            raise OptionError(
                f"{shown(path)} has the unknown suffix {path.suffix!r}; choose one of {known}, or end it in "
                "a slash for a folder"
            )

    @property
    def paths(self) -> tuple[Path, ...]:
        """What is written, or will be at the end."""
        return (*(writer.path for writer in self._writers), *self._at_end)

    def __enter__(self) -> Self:
        with self._stack:
            for writer in self._writers:
                self._stack.enter_context(writer)
            self._stack = self._stack.pop_all()
        return self

    def write(self, frame: FrameAnalysis) -> None:
        """Write the next frame.

        Raises:
            OutputError: a file cannot be written; what was written before stays.
        """
        if self._adds:
            self._timeline.add(frame)
        item = FilmFrame.of(self._head, frame)
        wrote: list[Writer] = []
        try:
            for writer in self._writers:
                writer.write(item)
                wrote.append(writer)
        except BaseException:
            for writer in wrote:  # all files hold the same frames
                writer.take_back()
            raise
        self._count += 1

    def note_damage(self, damage: Sequence[Damage]) -> None:
        """Say what was lost so far, for the summary; the last word counts."""
        self._damage = tuple(damage)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        while self._writers and self._timeline.frames > self._count:
            self._timeline.take_back()  # the frame that could not be written
        self.summary = self._timeline.summary(complete=kind is None, damage=self._damage)
        try:
            if kind is None:
                self._publish(self.summary)
            else:
                self._stack.__exit__(kind, error, traceback)
        except BaseException as failure:
            kind = type(failure)
            self.summary = replace(self.summary, complete=False)
            raise
        finally:
            if kind is not None and self.summary.frames and not self._spare:
                for path in self._at_end:  # where there is little room, each that fits is better than none
                    with suppress(OutputError):  # the error before is the one to be told
                        self._written(self.summary, [path]).close()

    def _plan_file(self, path: Path) -> None:
        suffix = path.suffix.lower()
        if suffix in FRAME_SUFFIXES:
            self._writers.append(self._writer(path))
            return
        if not path.parent.is_dir():
            raise OutputError(
                f"{shown(path)} cannot be written: folder {shown(path.parent)} does not exist; make it first"
            )
        self._at_end.append(path)

    def _writer(self, path: Path) -> Writer:
        return open_writer(path, labels=self._head.labels, partial=True, spare=self._spare)

    def _plan_folder(self, folder: Path, stem: str) -> None:
        for suffix in _IN_FOLDER:
            path = folder / f"{stem}{suffix}"
            if suffix == ".parquet" and not _installed("pyarrow"):
                self.left_out[path.name] = "pyarrow"
            else:
                self._writers.append(self._writer(path))
        answer = folder / f"{stem}-detect-video.json"
        self._writers.append(DetectVideoWriter(answer, partial=True, spare=self._spare))
        # The summary, which says that all is complete, is the first to be written and the last to appear.
        self._at_end.append(folder / f"{stem}-summary.json")
        self._at_end += [folder / f"{stem}{suffix}" for suffix in (".srt", ".vtt", ".eaf")]
        if self._zero_s is not None:
            self._beside = [folder / f"{stem}-annotated{suffix}" for suffix in _SUBTITLES]
            self._at_end += self._beside
        pictures = [folder / f"{stem}-timeline{end}" for end in (".png", ".svg", "-dark.png", "-dark.svg")]
        if _installed("matplotlib"):
            self._at_end += pictures
        else:
            self.left_out.update({path.name: "matplotlib" for path in pictures})

    def _publish(self, summary: FilmSummary) -> None:
        """Write what comes at the end beside its place, then have all files take their names in one go."""
        try:
            rest = self._written(summary, self._at_end)
        except BaseException as error:
            self._stack.__exit__(type(error), error, error.__traceback__)
            raise
        with rest:
            self._stack.__exit__(None, None, None)

    def _written(self, summary: FilmSummary, paths: Sequence[Path]) -> ExitStack:
        """Write files that come at the end; they take their names when the stack is left."""
        plot: Plot | None = None
        with ExitStack() as stack:
            for path in paths:
                place, suffix = stack.enter_context(atomic_path(path)), path.suffix.lower()
                if path in self._beside:
                    words = _SUBTITLES[suffix](summary, self._language, zero_s=self._zero_s or 0.0)
                elif suffix in SUMMARY_FORMATS:
                    words = SUMMARY_FORMATS[suffix](summary, path, self._language)
                else:
                    plot = plot or timeline_plot(summary, self._timeline, language=self._language)
                    theme = DARK if path.stem.endswith("-timeline-dark") else LIGHT
                    if suffix == ".png":
                        place.write_bytes(plot.png(theme))
                        continue
                    words = plot.svg(theme)
                place.write_text(words, encoding="utf-8", errors="backslashreplace", newline="")
            return stack.pop_all()


def earlier_stays(target: Path, stem: str) -> bool:
    """Tell whether what an earlier run wrote at `target` is better than what an interrupted one leaves.

    It is where its summary says that it is complete. A single file of another format says nothing about
    that, and stays too.

    Args:
        target: the folder or the file, also an annotated film.
        stem: how the files in a folder begin.
    """
    is_file = target.is_file()
    summary = target if is_file else target / f"{stem}-summary.json"
    if summary.suffix.lower() != ".json":
        return is_file and target.stat().st_size > 0
    try:
        return read_summary(summary).complete
    except MienError:
        return False


def film_stem(name: str) -> str:
    """Return how the files about a source begin: a film's name without suffix, or its name made plain."""
    if "://" in name:
        return "stream"
    plain = without_suffix(PurePath(name).name)
    return (plain.replace(" ", "-") if name.startswith("camera ") else plain) or "film"


def timeline_plot(summary: FilmSummary, timeline: Timeline, *, language: str = "en") -> Plot:
    """Return the picture of a film's timeline: the persons seen for longest, at most 20, by their numbers."""
    longest = sorted(summary.persons, key=lambda track: -track.presence_s)[:_MOST_LANES]
    lanes = []
    for track in sorted(longest, key=lambda track: track.track_id):
        times, confidence = timeline.confidence(track.track_id, _STEPS)
        lanes.append(
            Lane(
                name=f"#{track.track_id}",
                bands=[Band(part.start.time_s, part.end_s, part.label) for part in track.segments],
                times=times,
                confidence=confidence,
                marks=[
                    Mark(event.onset.time_s, event.apex.time_s, event.offset.time_s, event.label)
                    for event in summary.events
                    if event.track_id == track.track_id
                ],
            )
        )
    end_s = max((band.end_s for lane in lanes for band in lane.bands), default=0.0)
    return film_timeline(lanes, summary.head.labels, max(end_s, summary.read_s), language=language)


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None
