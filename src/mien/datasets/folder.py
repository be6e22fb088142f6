"""Image folders: one folder an emotion, in any spelling Mien knows, below one folder a split or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mien.core.emotions import DEFAULT_LABELS
from mien.core.errors import DatasetError
from mien.core.files import shown
from mien.datasets._items import (
    SPLITS,
    Item,
    Pictures,
    folders_in,
    names_in,
    ordered,
    parse_label,
    parse_split,
    person,
)


def list_folder(root: Path, own: tuple[str, ...] = (), least: int = 2) -> Pictures:
    """List `root/<emotion>/<picture>` or `root/<split>/<emotion>/<picture>` by split and default order.

    Raises:
        DatasetError: a folder's name is no known emotion, two name the same one, an emotion or a split has
            no pictures, or there are fewer than `least` emotions.
    """
    folders = folders_in(root)
    splits = {split: folder for folder in folders if (split := parse_split(folder.name)) is not None}
    if not splits or any(parse_split(folder.name) is None for folder in folders):
        return Pictures("image folder", _items(root, "", own, least))
    if len(splits) < len(folders):
        raise DatasetError(f"{shown(root)} holds two folders for the same split")
    named = [(split, splits[split]) for split in SPLITS if split in splits]
    items = [item for split, folder in named for item in _items(folder, split, own, least)]
    return Pictures("image folder with splits", items)


def list_plain(root: Path) -> Pictures:
    """List the pictures of a folder, of which no emotion is known."""
    return Pictures("folder of pictures", [_item(root, name, None, "") for name in names_in(root)])


def _items(root: Path, split: str, own: tuple[str, ...], least: int) -> Iterator[Item]:
    folders = {folder: parse_label(folder.name, own) for folder in folders_in(root)}
    if unknown := [folder.name for folder, label in folders.items() if label is None]:
        raise DatasetError(
            f"{shown(root)} holds folders that name no known emotion: {', '.join(unknown)}; rename them, or "
            "give your own labels (labels=, --labels)"
        )
    if len(set(folders.values())) != len(folders):
        raise DatasetError(f"{shown(root)} holds two folders for the same emotion")
    if len(folders) < least:
        there = f"one emotion only, {next(iter(folders)).name}" if folders else "no folders of emotions"
        raise DatasetError(
            f"{shown(root)} has {there}; two or more are needed, such as {', '.join(DEFAULT_LABELS)}"
        )
    files = {label: (folder, names_in(folder)) for folder, label in folders.items() if label is not None}
    if empty := [label for label in ordered(files, own) if not files[label][1]]:
        raise DatasetError(f"{shown(root)} has no pictures for {', '.join(empty)}")
    for label in ordered(files, own):
        folder, names = files[label]
        yield from (_item(folder, name, label, split) for name in names)


def _item(folder: Path, name: str, label: str | None, split: str) -> Item:
    return Item("", name, label, split, person(name), folder)
