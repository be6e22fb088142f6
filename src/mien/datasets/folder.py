"""Image folders: one folder an emotion, in any spelling Mien knows, below one folder a split or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mien.core.emotions import DEFAULT_LABELS
from mien.core.errors import DatasetError
from mien.core.files import shown, valid_text
from mien.datasets._items import (
    SPLITS,
    Item,
    OnFault,
    Pictures,
    folders_in,
    names_in,
    ordered,
    parse_label,
    parse_split,
    person,
    raise_fault,
)


def list_folder(
    root: Path, own: tuple[str, ...] = (), least: int = 2, on_fault: OnFault = raise_fault
) -> Pictures:
    """List `root/<emotion>/<picture>` or `root/<split>/<emotion>/<picture>` by split and default order.

    Args:
        root: the folder.
        own: labels besides the known emotions.
        least: how many emotions there have to be.
        on_fault: told of a folder's name that is no known emotion, of two for the same one, of an emotion or
            a split without pictures, and of fewer than `least` emotions; where it does not raise, what can be
            listed is.
    """
    folders = folders_in(root)
    splits = {folder: split for folder in folders if (split := parse_split(folder.name)) is not None}
    others = [folder for folder in folders if folder not in splits]
    if not splits or (others and all(parse_label(folder.name, own) for folder in folders)):
        return Pictures("image folder", _items(root, "", own, least, on_fault))
    if others:
        on_fault(
            DatasetError(
                f"{shown(root)} holds folders of splits ({_names(splits)}) beside others ({_names(others)}); "
                "move the others away, or into the splits"
            )
        )
    for same in _same(splits):
        on_fault(
            DatasetError(f"{shown(root)} holds folders for the same split: {_names(same)}; keep one of them")
        )
    named = sorted(splits.items(), key=lambda pair: SPLITS.index(pair[1]))
    items = [item for folder, split in named for item in _items(folder, split, own, least, on_fault)]
    return Pictures("image folder with splits", items)


def _names(folders: Iterable[Path], end: str = "/") -> str:
    return ", ".join(f"{valid_text(folder.name)}{end}" for folder in folders)


def _same(named: Mapping[Path, str | None]) -> list[list[Path]]:
    """Return the folders that mean the same, where two or more do."""
    groups: dict[str | None, list[Path]] = {}
    for folder, meaning in named.items():
        groups.setdefault(meaning, []).append(folder)
    return [group for group in groups.values() if len(group) > 1]


def list_plain(root: Path) -> Pictures:
    """List the pictures of a folder, of which no emotion is known."""
    return Pictures("folder of pictures", [_item(root, name, None, "") for name in names_in(root)])


def _items(root: Path, split: str, own: tuple[str, ...], least: int, on_fault: OnFault) -> Iterator[Item]:
    folders = folders_in(root)
    if split and not folders:
        what = "pictures, but no folders of emotions" if names_in(root) else "nothing in it"
        on_fault(
            DatasetError(
                f"split {split} ({shown(root)}) has {what}; put folders of emotions into it, or remove it"
            )
        )
        return
    labels = {folder: label for folder in folders if (label := parse_label(folder.name, own)) is not None}
    if unknown := [folder for folder in folders if folder not in labels]:
        on_fault(
            DatasetError(
                f"{shown(root)} holds folders that name no known emotion: {_names(unknown, '')}; rename "
                "them, or give your own labels (labels=, --labels)"
            )
        )
    for same in _same(labels):
        on_fault(
            DatasetError(
                f"{shown(root)} holds {'two' if len(same) == 2 else len(same)} folders for the same emotion, "
                f"{labels[same[0]]}: {_names(same)}; put their pictures into one"
            )
        )
    found = ordered(labels.values(), own)
    if len(found) < least:
        there = f"one emotion only, {found[0]}" if found else "no folders of emotions"
        on_fault(
            DatasetError(
                f"{shown(root)} has {there}; two or more are needed, such as {', '.join(DEFAULT_LABELS)}"
            )
        )
    files = {folder: names_in(folder) for folder in labels}
    filled = {label for folder, label in labels.items() if files[folder]}
    if empty := [label for label in found if label not in filled]:
        on_fault(DatasetError(f"{shown(root)} has no pictures for {', '.join(empty)}"))
    for folder in sorted(labels, key=lambda folder: found.index(labels[folder])):
        yield from (_item(folder, name, labels[folder], split) for name in files[folder])


def _item(folder: Path, name: str, label: str | None, split: str) -> Item:
    return Item("", name, label, split, person(name), folder)
