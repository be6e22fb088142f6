"""The one schema of every table: what each column is called, holds and means.

A table has one row a face. A picture or frame without a face has one row with status "no_face", a picture
that could not be read one with status "failed" and the reason, so nothing that was asked for vanishes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from mien.core.errors import MienError, OptionError
from mien.core.film import FilmFrame
from mien.core.geometry import LANDMARK_NAMES
from mien.core.results import Face, ImageAnalysis
from mien.core.version import __version__

Kind = Literal["text", "integer", "number"]
Row = dict[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class Failure:
    """A picture that could not be analysed.

    Attributes:
        source: the path or name of the picture, or None where it has none.
        error: the name of the error's class, such as "ImageFormatError".
        message: the error's message.
        version: the version of Mien that met it.
    """

    source: str | None
    error: str
    message: str
    version: str = __version__

    @classmethod
    def of(cls, source: str | Path | None, error: MienError) -> Failure:
        """Return the failure that `error` was for `source`."""
        return cls(None if source is None else str(source), type(error).__name__, str(error))

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only."""
        return {
            "source": self.source,
            "error": self.error,
            "message": self.message,
            "version": self.version,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Failure:
        """Return the failure that `to_dict` described."""
        return cls(data["source"], data["error"], data["message"], data["version"])


Result = ImageAnalysis | FilmFrame | Failure
"""What is stored: a photo, a frame of a film, or what could not be read."""

Item = Result | MienError | tuple[str | Path | None, MienError]
"""What can be written: a result, or a failure in any of three forms."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, kind ("text", "integer" or "number") and meaning."""

    name: str
    kind: Kind
    meaning: str


SCORE = "score_<label>"
"""Stands in COLUMNS for one column a label, in card order, such as `score_happy`."""


def _landmark_columns() -> Iterator[Column]:
    for name in LANDMARK_NAMES:
        words = name.replace("_", " ")
        for axis in "xy":
            yield Column(
                f"{name}_{axis}", "number", f"{axis} of the person's own {words}, in pixels of the picture."
            )


COLUMNS: tuple[Column, ...] = (
    Column("source", "text", "Path or name of the picture or film."),
    Column("status", "text", 'What the row is: "face", "no_face" or "failed".'),
    Column("frame", "integer", "Index of the frame in its film, from 0; empty in photos."),
    Column("time_s", "number", "When the frame is shown, in seconds from the start; empty in photos."),
    Column("width", "integer", "Width of the upright picture, in pixels."),
    Column("height", "integer", "Height of the upright picture, in pixels."),
    Column("face", "integer", "Number of the face in its picture, from 0, largest first."),
    Column("track_id", "integer", "The same number for the same person through a film; empty in photos."),
    Column("box_x", "integer", "Left edge of the face's box, in pixels of the picture."),
    Column("box_y", "integer", "Top edge of the face's box, in pixels of the picture."),
    Column("box_width", "integer", "Width of the face's box, in pixels."),
    Column("box_height", "integer", "Height of the face's box, in pixels."),
    Column("emotion", "text", "The expression read; empty where no label is likely enough (uncertain)."),
    Column("top", "text", "The most likely label, also where it is not likely enough."),
    Column("confidence", "number", "Probability of the top label, in [0, 1]."),
    Column(SCORE, "number", "Probability of each label, in [0, 1]; one column a label, in card order."),
    Column("detection_score", "number", "How sure the detector is of the face, in [0, 1]."),
    *_landmark_columns(),
    Column("quality_size", "integer", "Shorter side of the box, in pixels."),
    Column("quality_sharpness", "number", "Variance of the Laplacian of the crop; low is blurred."),
    Column("quality_brightness", "number", "Mean grey value of the crop, in [0, 255]."),
    Column("roll", "number", "Lean of the head in degrees; positive towards the viewer's right."),
    Column("yaw", "number", "Turn of the head in degrees; positive where the nose points viewer's right."),
    Column("pitch", "number", "Nod of the head in degrees; positive is up."),
    Column(
        "quality_reasons", "text", "What is poor, joined by spaces: small, blurred, dark, bright, turned."
    ),
    Column("model", "text", "Name of the classifier."),
    Column("model_digest", "text", "SHA-256 of the classifier's file."),
    Column("detector", "text", 'Name of the detector; "given" where the caller gave the boxes.'),
    Column(
        "options_digest",
        "text",
        "Digest of the options that can change a result; for films two, with a hyphen.",
    ),
    Column("mien_version", "text", "Version of Mien that made the row."),
    Column(
        "elapsed_s",
        "number",
        "Seconds from the picture's bytes to its result; empty in films.",
    ),
    Column("error", "text", "Why the picture failed: the kind of error and its message."),
)


def columns_for(labels: Sequence[str]) -> tuple[Column, ...]:
    """Return the columns of a table whose scores are for `labels`."""
    columns: list[Column] = []
    for column in COLUMNS:
        if column.name == SCORE:
            columns += [
                Column(score_name(label), "number", f"Probability of {label}, in [0, 1].") for label in labels
            ]
        else:
            columns.append(column)
    return tuple(columns)


def score_name(label: str) -> str:
    """Return the name of the column that holds the score of `label`."""
    return f"score_{label}"


def normalized(item: Item) -> Result:
    """Return an analysis as it is and any form of failure as a Failure."""
    if isinstance(item, (ImageAnalysis, FilmFrame, Failure)):
        return item
    if isinstance(item, MienError):
        return Failure.of(None, item)
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], MienError):
        return Failure.of(*item)
    raise OptionError(
        f"only an ImageAnalysis, a FilmFrame, a Failure, a MienError or (source, MienError) can be written, "
        f"not {type(item).__name__}"
    )


def labels_of(item: Result) -> tuple[str, ...] | None:
    """Return the labels of the faces in card order, or None where there is no face."""
    if isinstance(item, Failure) or not item.faces:
        return None
    return tuple(item.faces[0].scores)


def rows(item: Item) -> Iterator[Row]:
    """Yield the rows of one picture, at least one; a column that is missing from a row is empty."""
    result = normalized(item)
    if isinstance(result, Failure):
        yield {
            "source": result.source,
            "status": "failed",
            "mien_version": result.version,
            "error": f"{result.error}: {result.message}",
        }
        return
    picture: Row = {
        "source": result.source,
        "width": result.width,
        "height": result.height,
        "model": result.model.name,
        "model_digest": result.model.digest,
        "detector": result.detector,
        "options_digest": result.options,
        "mien_version": result.version,
    }
    if isinstance(result, FilmFrame):
        picture.update(frame=result.analysis.index, time_s=result.analysis.time_s)
    else:
        picture["elapsed_s"] = result.elapsed_s
    if not result.faces:
        yield {**picture, "status": "no_face"}
    for index, face in enumerate(result.faces):
        yield {**picture, "status": "face", "face": index, **_face_cells(face)}


def _face_cells(face: Face) -> Row:
    cells: Row = {
        "track_id": face.track_id,
        "box_x": face.box.x,
        "box_y": face.box.y,
        "box_width": face.box.width,
        "box_height": face.box.height,
        "emotion": face.emotion,
        "top": face.top,
        "confidence": face.confidence,
        "detection_score": face.detection_score,
        "quality_size": face.quality.size,
        "quality_sharpness": face.quality.sharpness,
        "quality_brightness": face.quality.brightness,
        "quality_reasons": " ".join(face.quality.reasons) or None,
    }
    cells.update({score_name(label): score for label, score in face.scores.items()})
    if face.landmarks is not None:
        for name in LANDMARK_NAMES:
            point = getattr(face.landmarks, name)
            cells[f"{name}_x"], cells[f"{name}_y"] = point.x, point.y
    if face.quality.pose is not None:
        cells.update(face.quality.pose.to_dict())
    return cells
