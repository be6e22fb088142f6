"""A film's emotions for ELAN, the annotation program of the Max Planck Institute for Psycholinguistics.

The format is EAF 3.0: https://www.mpi.nl/tools/elan/EAF_Annotation_Format_3.0_and_ELAN.pdf
"""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from mien.core.emotions import display_name
from mien.core.files import valid_text
from mien.core.film_results import FilmSummary, TrackSummary

_TYPE = "emotion"
_MIME = {".mp4": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm", ".mkv": "video/x-matroska"}
# What XML 1.0 cannot hold.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_SCHEMA = "http://www.w3.org/2001/XMLSchema-instance"


def eaf(
    summary: FilmSummary,
    language: str = "en",
    *,
    folder: str | os.PathLike[str] = ".",
    written: datetime | None = None,
) -> str:
    """Return an ELAN document: one tier a person, one annotation a stretch of one emotion.

    Args:
        summary: of the film; brief tracks are left out.
        language: of the emotions, "en", "vi" or "ro".
        folder: that the document will lie in; it names the film by its way from there.
        written: goes into the document as its date; now where None.
    """
    document = ET.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": f"Mien {summary.head.version}",
            "DATE": (written or datetime.now(UTC)).isoformat(timespec="seconds"),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            "xmlns:xsi": _SCHEMA,
            "xsi:noNamespaceSchemaLocation": "http://www.mpi.nl/tools/elan/EAFv3.0.xsd",
        },
    )
    times = _Times(ET.Element("TIME_ORDER"))
    tiers = [_tier(track, times, language) for track in summary.persons]
    document.append(_header(summary.head.source.name, Path(folder), times.annotations))
    document.append(times.order)
    document.extend(tiers)
    kind = {"LINGUISTIC_TYPE_ID": _TYPE, "TIME_ALIGNABLE": "true", "GRAPHIC_REFERENCES": "false"}
    ET.SubElement(document, "LINGUISTIC_TYPE", kind)
    ET.indent(document, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(document, encoding="unicode") + "\n"


class _Times:
    """Hands out time slots and the numbers of annotations."""

    def __init__(self, order: ET.Element) -> None:
        self.order = order
        self.annotations = 0

    def slot(self, seconds: float) -> str:
        name = f"ts{len(self.order) + 1}"
        ET.SubElement(
            self.order, "TIME_SLOT", {"TIME_SLOT_ID": name, "TIME_VALUE": str(round(seconds * 1000))}
        )
        return name

    def annotation(self) -> str:
        self.annotations += 1
        return f"a{self.annotations}"


def _tier(track: TrackSummary, times: _Times, language: str) -> ET.Element:
    tier = ET.Element("TIER", {"LINGUISTIC_TYPE_REF": _TYPE, "TIER_ID": f"#{track.track_id}"})
    for segment in track.segments:
        if round(segment.end_s * 1000) <= round(segment.start.time_s * 1000):
            continue  # ELAN has whole milliseconds, and no annotation without length
        span = {
            "ANNOTATION_ID": times.annotation(),
            "TIME_SLOT_REF1": times.slot(segment.start.time_s),
            "TIME_SLOT_REF2": times.slot(segment.end_s),
        }
        annotation = ET.SubElement(ET.SubElement(tier, "ANNOTATION"), "ALIGNABLE_ANNOTATION", span)
        value = ET.SubElement(annotation, "ANNOTATION_VALUE")
        value.text = _FORBIDDEN.sub("\ufffd", valid_text(display_name(segment.label, language)))
    return tier


def _header(source: str, folder: Path, annotations: int) -> ET.Element:
    header = ET.Element("HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    # A camera or an address is no file that ELAN could open, and an address may hold a password.
    if "://" not in source and Path(source).suffix:
        way = _way(source, folder)
        mime = _MIME.get(Path(source).suffix.lower(), "video/*")
        ET.SubElement(
            header,
            "MEDIA_DESCRIPTOR",
            {"MEDIA_URL": way, "MIME_TYPE": mime, "RELATIVE_MEDIA_URL": way},
        )
    last = ET.SubElement(header, "PROPERTY", {"NAME": "lastUsedAnnotationId"})
    last.text = str(annotations)
    return header


def _way(source: str, folder: Path) -> str:
    """Return the way from `folder` to the film as a relative URL."""
    try:
        way = Path(os.path.relpath(source, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        way = Path(source).name
    return quote(os.fsencode(way if way.startswith("..") else f"./{way}"))
