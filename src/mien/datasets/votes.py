"""Crowd votes (FER+, Barsoum et al. 2016): ten people's opinion of every FER2013 face."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from mien.core.emotions import parse_emotion
from mien.core.errors import DatasetError
from mien.core.files import reason
from mien.datasets.dataset import FaceDataset

_NAME_COLUMN = "Image name"
# Votes for no emotion: "cannot tell" and "not a face".
_OTHER_COLUMNS = ("unknown", "NF")
OTHER = "other"
_NO_VOTES = "the vote table names none of the data set's pictures"


def read_votes(path: str | Path) -> dict[str, dict[str, int]]:
    """Read a vote table: `{file name: {label: votes}}`.

    FER+'s votes for "unknown" and "NF" (not a face) stand together under `OTHER`; other columns that name
    no emotion are left out.

    Raises:
        DatasetError: the file is missing, has no "Image name" column, or a vote is not a whole number
            (the line is named).
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return _votes(csv.DictReader(file), path)
    except OSError as error:
        raise DatasetError(f"votes {str(path)!r} cannot be read: {reason(error)}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"votes {str(path)!r} are not a table in UTF-8: {error}") from error


def _votes(reader: csv.DictReader[str], path: Path) -> dict[str, dict[str, int]]:
    columns = reader.fieldnames or []
    if _NAME_COLUMN not in columns:
        raise DatasetError(f"votes {str(path)!r} need a column {_NAME_COLUMN!r}; found {', '.join(columns)}")
    emotions = {c: str(e) for c in columns if (e := parse_emotion(c)) is not None}
    others = [c for c in columns if c in _OTHER_COLUMNS]
    table = {}
    for row in reader:
        try:
            votes = {label: int(row[column]) for column, label in emotions.items()}
            if others:
                votes[OTHER] = sum(int(row[column]) for column in others)
            table[row[_NAME_COLUMN]] = votes
        except (TypeError, ValueError):
            raise DatasetError(
                f"{str(path)!r}, line {reader.line_num}: votes have to be whole numbers"
            ) from None
    return table


def with_votes_each(
    splits: Mapping[str, FaceDataset], table: Mapping[str, Mapping[str, int]]
) -> dict[str, FaceDataset]:
    """Return every split with its votes; one that was not voted on at all stays without.

    Raises:
        DatasetError: as in `with_votes`, when none of the splits was voted on.
    """
    voted = {name for name, faces in splits.items() if any(n in table for n in faces.names)}
    if not voted:
        raise DatasetError(_NO_VOTES)
    return {name: with_votes(faces, table) if name in voted else faces for name, faces in splits.items()}


def with_votes(dataset: FaceDataset, table: Mapping[str, Mapping[str, int]]) -> FaceDataset:
    """Return `dataset` with the votes for its labels; votes for other labels are left out.

    Raises:
        DatasetError: the table names none of the faces, or two faces have one name that is in the table.
    """
    times = Counter(name for name in dataset.names if name in table)
    if shared := [name for name, count in times.items() if count > 1]:
        raise DatasetError(
            f"{times[shared[0]]} faces have the name {shared[0]!r}, and votes go by name; rename all but the "
            "one that was voted on"
        )
    votes = np.zeros((len(dataset), len(dataset.labels)), dtype=np.float32)
    for row, name in enumerate(dataset.names):
        counted = table.get(name, {})
        votes[row] = [counted.get(label, 0) for label in dataset.labels]
    if not votes.any():
        raise DatasetError(_NO_VOTES)
    return replace(dataset, votes=votes)
