"""Analyses as files: CSV, JSON, Excel, and a ZIP with all of them and the kept pictures, drawn on."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from mien.core import images
from mien.core.errors import ImageError
from mien.records import Column, CsvWriter, ExcelWriter, Failure, JsonWriter, Writer
from mien.render import Annotator
from mien.web.analyses import pictures
from mien.web.analyses.models import Analysis, Batch, OwnedQuerySet

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "zip": "application/zip",
}
"""The formats and what browsers are told about them."""

_CHUNK = 500
_OWN_COLUMNS = (
    Column("id", "text", "The analysis, as in its address."),
    Column("created", "text", "When the picture was read, in ISO 8601."),
    Column("came_by", "text", "How the picture came: upload, api, camera or film."),
    Column("batch", "text", "The batch it was a part of."),
    Column("tags", "text", "The user's tags, joined by commas."),
    Column("notes", "text", "The user's notes."),
)


class TooManyPicturesError(Exception):
    """More kept pictures than one ZIP holds."""


class _WithHistory:
    """Puts what only the history knows behind the columns of the one schema."""

    about: Sequence[str] = ()

    def _write_head(self, columns: Sequence[Column]) -> None:
        super()._write_head((*columns, *_OWN_COLUMNS))  # type: ignore[misc]

    def _write_row(self, cells: list[Any]) -> None:
        super()._write_row([*cells, *self.about])  # type: ignore[misc]


class _HistoryCsv(_WithHistory, CsvWriter):
    pass


class _HistoryExcel(_WithHistory, ExcelWriter):
    pass


_WRITERS: dict[str, type[Writer]] = {"csv": _HistoryCsv, "json": JsonWriter, "xlsx": _HistoryExcel}


def export(
    analyses: OwnedQuerySet, form: str, *, batch: Batch | None = None, language: str = "en"
) -> IO[bytes]:
    """Return an open file with the analyses; it has no name any more, so nothing is left of it.

    Args:
        analyses: in the order they are written.
        form: one of TYPES.
        batch: whose failures are written too.
        language: of what is drawn on pictures.

    Raises:
        TooManyPicturesError: for "zip", more kept pictures than a batch may have.
        OutputError: the disk is full, or there are more rows than a sheet of Excel holds.
    """
    with tempfile.TemporaryDirectory(prefix="mien-export-") as folder:
        path = Path(folder, f"mien.{form}")
        if form == "zip":
            _write_zip(analyses, path, batch, language)
        else:
            _write_table(analyses, path, form, batch)
        return path.open("rb")


def _write_table(analyses: OwnedQuerySet, path: Path, form: str, batch: Batch | None) -> None:
    with _WRITERS[form](path, labels=_labels(analyses)) as writer:
        for analysis in _rows(analyses):
            if isinstance(writer, _WithHistory):
                writer.about = _about(analysis)
            writer.write(analysis.result())
        if isinstance(writer, _WithHistory):
            writer.about = [""] * len(_OWN_COLUMNS)
        for failure in batch.failures if batch else ():
            writer.write(Failure(failure["name"] or None, "ImageError", failure["why"]))


def _write_zip(analyses: OwnedQuerySet, path: Path, batch: Batch | None, language: str) -> None:
    kept = analyses.exclude(picture=None)
    if kept.count() > settings.MIEN.batch_photos:
        raise TooManyPicturesError
    draw = _drawing(language)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for form in _WRITERS:
            table = path.with_name(f"results.{form}")
            _write_table(analyses, table, form, batch)
            packed.write(table, table.name)
            table.unlink()
        for number, analysis in enumerate(_rows(kept.select_related("picture")), start=1):
            try:
                drawn = draw(analysis)
            except (FileNotFoundError, ImageError):
                continue  # deleted meanwhile, or damaged: its results are in the tables
            # what is a JPEG grows when it is packed again
            packed.writestr(f"pictures/{picture_file(number, analysis.name)}", drawn, zipfile.ZIP_STORED)


def _drawing(language: str) -> Callable[[Analysis], bytes]:
    annotator = Annotator(language)

    def draw(analysis: Analysis) -> bytes:
        pixels = pictures.pixels_of(analysis.picture)
        return images.encode_jpeg(annotator.annotate(pixels, analysis.result()), 92)

    return draw


def picture_file(number: int, name: str) -> str:
    """Return a name in the ZIP that is safe to unpack anywhere, whatever the photo was called."""
    stem = Path(name).stem if name else ""
    safe = "".join(letter if letter.isalnum() or letter in "-_ " else "_" for letter in stem).strip()
    return f"{number:04d}-{safe[:60].strip() or 'photo'}.jpg"


def _rows(analyses: OwnedQuerySet) -> Iterator[Analysis]:
    wanted = analyses.select_related("batch").prefetch_related("faces", "tags")
    yield from wanted.iterator(chunk_size=_CHUNK)


def _labels(analyses: OwnedQuerySet) -> list[str]:
    """Return every label of the analyses: a model has one set, but the model may have changed over time."""
    labels: dict[str, None] = {}
    seen = analyses.filter(face_count__gt=0).order_by()
    for digest in seen.values_list("model_digest", flat=True).distinct():
        first = seen.filter(model_digest=digest).first()
        face = first.faces.first() if first else None
        labels |= dict.fromkeys(label for label, _score in (face.scores if face else ()))
    return list(labels)


def _about(analysis: Analysis) -> list[str]:
    return [
        str(analysis.uid),
        analysis.created.isoformat(),
        str(analysis.source),
        str(analysis.batch or ""),
        ", ".join(tag.name for tag in analysis.tags.all()),
        analysis.notes,
    ]
