"""The gallery: faces saved under their emotion, within limits of number and age.

Saved faces are personal data. They stay on this machine, in one folder that can be looked at with any
program, as long as the options say, and `clear` removes them.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.core.emotions import Emotion, parse_emotion
from mien.core.errors import OptionError, OutputError
from mien.core.files import atomic_write, ensure_private_folder, reason, shown
from mien.core.gallery_options import GalleryOptions
from mien.core.geometry import Box, Landmarks
from mien.core.images import encode_jpeg
from mien.core.results import Face
from mien.gallery._index import Index, parsed_face, parsed_text
from mien.gallery._names import UNCERTAIN, file_name, folder_name, parse_name

_AROUND = 1.6  # side of a saved picture against the box: alignment and a turned head need room
_QUALITY = 92
_SPARE = 0.02  # of the most faces, that more than needed go at once: looking through them takes time


@dataclass(frozen=True, slots=True)
class SavedFace:
    """A saved face.

    Attributes:
        path: of the picture, a JPEG of the face with some room around it.
        emotion: the folder's: who moves a file into another folder corrects the label. None is uncertain.
        confidence: as it was read, in [0, 1].
        saved: when, in local time.
        face: all that was read, in pixels of the saved picture; None where the index does not know the file.
        person: stands for one face followed through one session; "" where that is not known.
        source: the camera or film, "" where that is not known.
    """

    path: Path
    emotion: str | None
    confidence: float
    saved: datetime
    face: Face | None = None
    person: str = ""
    source: str = ""

    @property
    def name(self) -> str:
        """Folder and file, as `mien gallery list` prints them and `Gallery.delete` takes them."""
        return f"{self.path.parent.name}/{self.path.name}"


def default_folder() -> Path:
    """Return the user's own gallery, MIEN_DATA/gallery or the platform's place. It may not exist yet."""
    from mien.zoo.store import data_folder

    return data_folder() / "gallery"


class Gallery:
    """A folder of saved faces; safe between threads. Nothing is made before the first face is saved.

    Only its owner can read what is in it: files have the permissions 0600, folders that it makes 0700.

    Args:
        folder: the user's own without it.
        options: which faces are saved, and how long they stay.
        now: the local time.

    Raises:
        OutputError: `folder` is a file.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        options: GalleryOptions | None = None,
        *,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self.folder = default_folder() if folder is None else Path(folder)
        if self.folder.exists() and not self.folder.is_dir():
            raise OutputError(f"{shown(self.folder)} is a file; give a folder to save faces in")
        self.options = options or GalleryOptions()
        self._now = now
        self._index = Index(self.folder)
        self._session = secrets.token_hex(4)
        self._lock = threading.Lock()
        self._count: int | None = None
        self._pruned: datetime | None = None

    def save(self, pixels: NDArray[np.uint8], face: Face, *, source: str = "") -> SavedFace:
        """Save a face of a picture, uint8 (H, W, 3) RGB, under its emotion; the oldest make room for it.

        Raises:
            OutputError: it cannot be written; nothing of it is left behind.
        """
        picture, inside = cut_face(pixels, face)
        with self._lock:
            saved = self._now()
            path = self._new_path(face, saved)
            ensure_private_folder(self.folder)
            ensure_private_folder(path.parent)
            atomic_write(path, encode_jpeg(picture, _QUALITY), private=True)
            person = "" if face.track_id is None else f"{self._session}-{face.track_id}"
            record = {
                "name": path.name,
                "saved": saved.isoformat(),
                "face": inside.to_dict(),
                "person": person,
                "source": source,
            }
            try:
                self._index.append(record)
            except OutputError:
                path.unlink(missing_ok=True)
                raise
            self._make_room(saved)
        return SavedFace(path, face.emotion, face.confidence, saved, inside, person, source)

    def faces(
        self, emotion: str | None = None, *, since: date | None = None, until: date | None = None
    ) -> list[SavedFace]:
        """Return the saved faces, the oldest first.

        Args:
            emotion: of this one only, in any spelling and language, a folder's own name, or "uncertain".
            since: saved on this day or later.
            until: saved on this day or earlier.

        Raises:
            OptionError: nobody knows an emotion of this name, and no face was saved under it.
            OutputError: the folder cannot be read.
        """
        files = self._files()
        wanted = None if emotion is None else _wanted(emotion, {path.parent.name for path, _ in files})
        records = self._index.read()
        found = []
        for path, saved in files:
            if wanted is not None and path.parent.name not in wanted:
                continue
            if (since is not None and saved.date() < since) or (until is not None and saved.date() > until):
                continue
            record = records.get(path.name)
            name = parse_name(path.name)
            assert name is not None
            found.append(
                SavedFace(
                    path,
                    _label(path.parent.name, face := parsed_face(record)),
                    name.confidence,
                    saved,
                    face,
                    parsed_text(record, "person"),
                    parsed_text(record, "source"),
                )
            )
        return found

    def delete(self, names: Iterable[str]) -> int:
        """Delete saved faces by their names, EMOTION/FILE or FILE; return how many there were.

        Raises:
            OptionError: there is no saved face of one of the names; then none is deleted.
            OutputError: one cannot be deleted.
        """
        with self._lock:
            known: dict[str, Path] = {}
            for path, _ in self._files():
                known[path.name] = known[f"{path.parent.name}/{path.name}"] = path
            names = list(names)
            if unknown := [name for name in names if name not in known]:
                raise OptionError(
                    f"no saved face is called {shown(unknown[0])}; 'mien gallery list' shows their names"
                )
            return self._remove({known[name] for name in names})

    def clear(self) -> int:
        """Delete all saved faces and what is known of them; return how many there were.

        Other files in the folder stay.

        Raises:
            OutputError: one cannot be deleted.
        """
        with self._lock:
            count = self._remove({path for path, _ in self._files()})
            with suppress(OSError):
                self._index.path.unlink(missing_ok=True)
            return count

    def prune(self) -> int:
        """Delete the faces that are too old, and the oldest where there are too many; return how many.

        Raises:
            OutputError: one cannot be deleted.
        """
        with self._lock:
            return self._prune(self._now(), self.options.max_saved)

    def _make_room(self, now: datetime) -> None:
        most = self.options.max_saved
        if self._count is None:
            self._count = sum(1 for _ in self._files())
        else:
            self._count += 1
        is_due = self._pruned is None or now - self._pruned > timedelta(hours=1)
        if self._count > most or (self.options.max_days and is_due):
            self._prune(now, most if self._count <= most else max(1, round(most * (1 - _SPARE))))

    def _prune(self, now: datetime, most: int) -> int:
        files = self._files()
        too_old = set()
        if self.options.max_days:
            oldest = now - timedelta(days=self.options.max_days)
            too_old = {path for path, saved in files if saved < oldest}
        kept = [path for path, _ in files if path not in too_old]
        self._pruned = now
        return self._remove(too_old | set(kept[: max(0, len(kept) - most)]))

    def _remove(self, paths: set[Path]) -> int:
        for path in sorted(paths):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise OutputError(f"{shown(path)} cannot be deleted: {reason(error)}") from error
        for folder in {path.parent for path in paths}:
            with suppress(OSError):  # not empty
                folder.rmdir()
        left = {path.name for path, _ in self._files()}
        self._count = len(left)
        if paths:
            self._index.keep(left)
        return len(paths)

    def _files(self) -> list[tuple[Path, datetime]]:
        """List what has the name of a saved face and lies in a folder of the gallery, the oldest first."""
        found = []
        try:
            for folder in _plain_folders(self.folder):
                for entry in os.scandir(folder):
                    name = parse_name(entry.name)
                    if name is not None and entry.is_file(follow_symlinks=False):
                        found.append((folder / entry.name, name.saved))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise OutputError(f"gallery {shown(self.folder)} cannot be read: {reason(error)}") from error
        return sorted(found, key=lambda one: (one[1], one[0]))

    def _new_path(self, face: Face, saved: datetime) -> Path:
        folder = self.folder / folder_name(face.emotion)
        number = 1
        while (path := folder / file_name(face.emotion, face.confidence, saved, number)).exists():
            number += 1
        return path


def cut_face(pixels: NDArray[np.uint8], face: Face) -> tuple[NDArray[np.uint8], Face]:
    """Return the picture of a face with room around it, and the face in its pixels.

    Args:
        pixels: uint8 (H, W, 3) RGB.
        face: of this picture.

    Returns:
        uint8 (h, w, 3) RGB, a copy; the face without the number of its track.
    """
    box = face.box
    side = round(_AROUND * max(box.width, box.height))
    left, top = box.x + (box.width - side) // 2, box.y + (box.height - side) // 2
    part = Box(left, top, side, side).clipped(pixels.shape[1], pixels.shape[0]) or box
    marks = face.landmarks
    shifted = None if marks is None else Landmarks.from_array(marks.as_array() - (part.x, part.y))
    inside = replace(
        face,
        box=Box(box.x - part.x, box.y - part.y, box.width, box.height),
        landmarks=shifted,
        track_id=None,
    )
    return pixels[part.y : part.bottom, part.x : part.right].copy(), inside


def _plain_folders(root: Path) -> list[Path]:
    return sorted(Path(entry.path) for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False))


def _wanted(emotion: str, folders: set[str]) -> set[str]:
    """Return the folders that `emotion` stands for, among those that there are.

    A model's label and its alias are one emotion: joy is happy, whichever of them a folder is called.
    """
    known = None if emotion.lower() == UNCERTAIN else parse_emotion(emotion)
    if known is not None:
        return {folder for folder in folders if parse_emotion(folder) == known}
    named = {
        folder for folder in folders if folder.lower() in (emotion.lower(), folder_name(emotion).lower())
    }
    if not named and emotion.lower() != UNCERTAIN:
        names = ", ".join(
            [*Emotion, UNCERTAIN, *sorted(f for f in folders - {UNCERTAIN} if not parse_emotion(f))]
        )
        raise OptionError(f"no emotion is called {shown(emotion)}; choose one of {names}")
    return named


def _label(folder: str, face: Face | None) -> str | None:
    """Return the label that a folder stands for; a label with odd letters is known from the index only."""
    if folder == UNCERTAIN:
        return None
    if face is not None and face.emotion is not None and folder_name(face.emotion) == folder:
        return face.emotion
    known = parse_emotion(folder)
    return str(known) if known else folder
