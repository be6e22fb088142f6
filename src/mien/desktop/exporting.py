"""Results, annotated copies and faces to files, in whichever thread calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mien import batch
from mien.core import images
from mien.core.errors import MienError, OptionError
from mien.core.options import AnalysisOptions
from mien.core.results import Face
from mien.core.video_options import VideoOptions
from mien.desktop.entries import Entry
from mien.desktop.jobs import Work
from mien.desktop.reading import Models
from mien.desktop.viewer import load_pixels
from mien.gallery import Gallery
from mien.render import Annotator
from mien.video.outputs import FilmOutputs


@dataclass(frozen=True)
class Written:
    """A file that was written."""

    path: Path


@dataclass(frozen=True)
class FaceSaved:
    """A face that was saved."""

    path: Path


def export_photos(work: Work, entries: Sequence[Entry], path: Path, labels: Sequence[str]) -> None:
    """Write the results of photos to one file, in the format of its suffix."""
    batch.check_output(path)
    with batch.result_file(path, labels=labels) as write:
        for place, entry in enumerate(entries, 1):
            write(batch.Outcome(entry.item, entry.analysis, None if entry.analysis else entry.error))
            work.tell(place / len(entries), entry.item.name)
    work.found.emit(Written(path))


def export_film(work: Work, entry: Entry, path: Path, language: str) -> None:
    """Write what is known of a film to one file, in the format of its suffix."""
    if entry.film is None:
        raise OptionError("the film is not read yet; wait until it is")
    outputs = FilmOutputs(path, entry.film.head, language=language)
    with outputs:
        outputs.note_damage(entry.film.damage)
        for place, frame in enumerate(entry.frames, 1):
            if work.is_cancelled():
                raise MienError("cancelled")
            outputs.write(frame)
            work.tell(place / len(entry.frames), path.name)
    work.found.emit(Written(path))


def annotate_photo(work: Work, entry: Entry, path: Path, language: str, options: AnalysisOptions) -> None:
    """Write a copy of a photo with its faces drawn."""
    if entry.analysis is None:
        raise OptionError("the photo is not read yet; wait until it is")
    if isinstance(entry.item.source, Path) and path.resolve() == entry.item.source.resolve():
        raise OptionError(f"{path} is the photo itself; name another file")
    pixels, _ = load_pixels(entry.item, 0.0, options)
    drawn = Annotator(language, bars=True).annotate(pixels, entry.analysis)
    images.save(drawn, path, drawn=True)
    work.found.emit(Written(path))


def annotate_film(
    work: Work, entry: Entry, path: Path, language: str, options: AnalysisOptions, models: Models
) -> None:
    """Write a copy of a film with its faces drawn, and its sound; a cancelled one ends early."""
    worker = batch.FilmWorker(
        options,
        VideoOptions(),
        loaded=models.get(),
        drawing={"language": language},
        on_time=lambda read_s, length_s: work.tell(
            min(0.999, read_s / length_s) if length_s else -1, path.name
        ),
    )
    item = replace(entry.item, target=path)
    for outcome in batch.run_films([item], worker, is_cancelled=work.is_cancelled):
        if outcome.error is not None:
            raise outcome.error
        if outcome.spared:
            return
    work.found.emit(Written(path))


def save_face(work: Work, entry: Entry, face: Face, time_s: float, gallery: Gallery) -> None:
    """Save a face of a photo or of a film's frame under its emotion."""
    pixels, _ = load_pixels(entry.item, time_s, AnalysisOptions())
    saved = gallery.save(pixels, face, source=entry.item.name)
    work.found.emit(FaceSaved(saved.path))
