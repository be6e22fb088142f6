"""Names of saved faces: emotion, confidence in percent, day, time, microseconds."""

from __future__ import annotations

import re
from datetime import datetime
from typing import NamedTuple

UNCERTAIN = "uncertain"
"""Folder of the faces of which no emotion is likely enough."""

_NAME = re.compile(
    r"(?P<emotion>.+)_(?P<percent>\d{1,3}(?:\.\d+)?)_(?P<when>\d{8}_\d{6}_\d{6})(?:-\d+)?\.jpg"
)
_WHEN = "%Y%m%d_%H%M%S_%f"
_ODD = re.compile(r"[^\w -]")
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)")  # names that Windows keeps for devices
_LONGEST = 60


class Name(NamedTuple):
    """What a name says."""

    emotion: str
    confidence: float
    saved: datetime


def folder_name(label: str | None) -> str:
    """Return a label as the name of a folder: a label of someone's own may hold anything."""
    if label is None:
        return UNCERTAIN
    plain = _ODD.sub("-", label).strip()[:_LONGEST].strip()
    if not plain or plain == UNCERTAIN or _RESERVED.fullmatch(plain):
        return f"label-{plain}"
    return plain


def file_name(label: str | None, confidence: float, saved: datetime, number: int = 1) -> str:
    """Return the name of a face's file; `number` tells apart what was saved in the same microsecond."""
    again = "" if number == 1 else f"-{number}"
    return f"{folder_name(label)}_{100 * confidence:.1f}_{saved.strftime(_WHEN)}{again}.jpg"


def parse_name(name: str) -> Name | None:
    """Return what the name of a saved face says, or None where it is no such name."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        saved = datetime.strptime(match["when"], _WHEN)
    except ValueError:
        return None
    confidence = round(float(match["percent"]) / 100, 6)
    return Name(match["emotion"], confidence, saved) if confidence <= 1 else None
