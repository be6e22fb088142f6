"""Where models lie: the folder inside the package and the user's own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from mien.zoo.card import Card

PACKAGED = Path(__file__).parent / "weights"


@dataclass(frozen=True, slots=True)
class Entry:
    """A model: `path` is its file, `origin` "packaged", "user" or, for one that is not installed, "file"."""

    name: str
    path: Path
    origin: str

    @property
    def card_path(self) -> Path:
        """The JSON card beside the file."""
        return card_file(self.path)

    @property
    def twin_path(self) -> Path:
        """The weights to fine-tune beside the file; an int8 model and anyone's ONNX file have none."""
        return self.path.with_suffix(".safetensors")

    def card(self) -> Card:
        """Read the card; a missing or malformed one raises CardError."""
        return Card.read(self.card_path)


def card_file(path: Path) -> Path:
    """Return where the card of a model file lies; one in ORT format may lie beside the ONNX file it is of."""
    return path.with_suffix(".ort.json" if path.suffix == ".ort" else ".json")


def data_folder() -> Path:
    """Return the folder for what a user adds: MIEN_DATA, or the platform's place. It may not exist yet."""
    if chosen := os.environ.get("MIEN_DATA"):
        return Path(chosen)
    import platformdirs

    return platformdirs.user_data_path("mien", appauthor=False)


def packaged_folder() -> Path:
    """Return the folder of the weights that ship with Mien."""
    return PACKAGED


def user_folder() -> Path:
    """Return the folder of the models a user added. It may not exist yet."""
    return data_folder() / "models"


def installed() -> tuple[Entry, ...]:
    """Return every model of the package and of the user, in that order and by name."""
    return tuple(_entries(".onnx"))


def lone_cards() -> tuple[Entry, ...]:
    """Return the models of which only the card is there."""
    return tuple(entry for entry in _entries(".json") if not entry.path.exists())


def _entries(suffix: str) -> list[Entry]:
    """Return a model for each file with `suffix` in the two folders; hidden files are writes under way."""
    entries = []
    for folder, origin in ((packaged_folder(), "packaged"), (user_folder(), "user")):
        try:
            files = sorted(path for path in folder.glob(f"*{suffix}") if not path.name.startswith("."))
        except OSError:  # a folder that cannot be listed holds nothing that could be used
            continue
        entries += [Entry(path.stem, path.with_suffix(".onnx"), origin) for path in files]
    return entries
