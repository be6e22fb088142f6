"""Where annotated pictures go: one place each, and never onto an input."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePath

from mien.batch.items import Item
from mien.core.formats import without_suffix
from mien.core.marks import is_drawn

_WRITABLE = frozenset({".jpg", ".jpeg", ".png", ".webp"})


def with_targets(items: Sequence[Item], folder: Path) -> list[Item]:
    """Return `items`, each with a `target` of its own in `folder`.

    A picture keeps its name and its place below the folder that was given; kinds that are not written
    become PNG. Where two pictures want one name (also when only upper and lower case differ), or a name
    is that of an input or of a file that Mien did not draw, the later one gets "-2", "-3" and so on. The
    same items give the same targets, so that a second run replaces its own pictures.
    """
    taken = set(_places(items))
    numbers: dict[Path, int] = {}
    placed = []
    for item in items:
        if item.source is None:
            placed.append(item)
            continue
        wanted = folder / _written(item.relative)
        number, target = numbers.get(wanted, 1), wanted
        while (place := _place(target)) in taken or _is_foreign(target):
            number += 1
            target = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        numbers[wanted] = number
        taken.add(place)
        placed.append(replace(item, target=target))
    return placed


def with_film_targets(items: Sequence[Item], folder: Path, taken: Iterable[Path] = ()) -> list[Item]:
    """Return films, each with a target of its own: a folder in `folder`, named as the film without suffix.

    Where two want one name, or the name is one of `taken`, the later one gets "-2", "-3" and so on; the same
    items give the same targets.
    """
    names = {_place(path) for path in taken}
    placed = []
    for item in items:
        wanted = folder / item.relative.parent / without_suffix(item.relative.name)
        number, target = 1, wanted
        while _place(target) in names or target.is_file():
            number += 1
            target = wanted.with_name(f"{wanted.name}-{number}")
        names.add(_place(target))
        placed.append(replace(item, target=target, fills_folder=True))
    return placed


def is_folder(path: str | os.PathLike[str]) -> bool:
    """Tell whether results are meant to go into a folder.

    There is one, the name ends in a slash (which a `Path` does not keep), or no suffix says what file it is.
    """
    name = os.fspath(path)
    return name.endswith((os.sep, "/")) or Path(name).is_dir() or not Path(name).suffix


def _written(relative: PurePath) -> PurePath:
    if relative.suffix.lower() in _WRITABLE:
        return relative
    return relative.with_name(f"{relative.name}.png" if not relative.suffix else f"{relative.stem}.png")


def _is_foreign(target: Path) -> bool:
    return os.path.lexists(target) and not is_drawn(target)


def _places(items: Iterable[Item]) -> Iterable[str]:
    for item in items:
        if isinstance(item.source, Path):
            yield _place(item.source)
            yield str(item.source.resolve()).casefold()


def _place(path: Path) -> str:
    """Two names of one file compare equal, without following a link that is itself the file."""
    return str(path.parent.resolve() / path.name).casefold()
