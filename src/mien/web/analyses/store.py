"""From the library's result to rows, for every way a picture comes in."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from mien.core.results import Face, ImageAnalysis
from mien.web.analyses.models import AnalysedFace, Analysis, Batch, Source


def keep(
    owner: Any,
    result: ImageAnalysis,
    *,
    name: str = "",
    source: str = str(Source.UPLOAD),
    batch: Batch | None = None,
) -> Analysis:
    """Write one result with all its faces, or nothing.

    Args:
        owner: the user it belongs to.
        result: of `engine.analyze`.
        name: of the file as its sender called it; only shown, and cut to what fits.
        source: one of `Source`.
        batch: that it is a part of.
    """
    with transaction.atomic():
        analysis = Analysis.objects.create(
            owner=owner,
            source=source,
            name=shown_name(name),
            batch=batch,
            width=result.width,
            height=result.height,
            face_count=len(result.faces),
            model_name=result.model.name,
            model_digest=result.model.digest,
            detector=result.detector,
            options=result.options,
            elapsed_s=result.elapsed_s,
            version=result.version,
        )
        AnalysedFace.objects.bulk_create(
            _row(analysis, position, face) for position, face in enumerate(result.faces)
        )
    return analysis


def shown_name(name: str) -> str:
    """Return a sender's name of a file as one line of printable text, without folders."""
    last = name.replace("\\", "/").rpartition("/")[2]
    # a lone surrogate is not printable either, and no database takes it
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in last)[:200]


def _row(analysis: Analysis, position: int, face: Face) -> AnalysedFace:
    plain = face.to_dict()
    return AnalysedFace(
        analysis=analysis,
        owner_id=analysis.owner_id,
        created=analysis.created,
        source=analysis.source,
        position=position,
        emotion=face.emotion,
        top=face.top,
        confidence=face.confidence,
        scores=[list(pair) for pair in face.scores.items()],
        x=face.box.x,
        y=face.box.y,
        width=face.box.width,
        height=face.box.height,
        detection_score=face.detection_score,
        landmarks=plain["landmarks"],
        quality=plain["quality"],
    )
