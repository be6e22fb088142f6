"""Results as a few files of a size that travels, and back into folders of runs."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

from mien.core.errors import OptionError
from mien.core.files import atomic_write, ensure_folder

# A run without these goes on and is exported elsewhere all the same.
_SMALL = ("config.json", "run.json", "log.csv", "architecture.txt")
SCREENED = "screen-"
_BEST, _LAST = "best.safetensors", "last.safetensors"


def bundle(runs: Path, output: Path, *, part: int, most: int, first: Sequence[str] = ()) -> list[Path]:
    """Write small files and best weights of all runs as parts of one tar file; return the parts.

    Logs, options and cards of all come first, then weights, those of screened levers last. What goes on
    elsewhere needs `last.safetensors` too: those of runs without a card follow while there is room.

    Args:
        runs: folder of the runs.
        output: folder of the parts, `results.tar.0` and on.
        part: most bytes of one.
        most: most bytes of all.
        first: names of runs that go first, where not all have room.
    """
    folders = sorted({config.parent for config in runs.rglob("config.json")})
    order = sorted(folders, key=lambda folder: (_rank(folder.relative_to(runs), first), str(folder)))
    files = [runs / "levers.json", *runs.glob("*/crossval.json")]
    # The card says that a run is done; without it the run would be trained again.
    files += [folder / name for folder in order for name in (*_SMALL, f"{folder.name}.json")]
    files += [folder / _BEST for folder in order]
    unfinished = [folder for folder in order if not (folder / f"{folder.name}.json").exists()]
    files += [folder / _LAST for folder in unfinished]
    content, room = io.BytesIO(), most - 10_240  # of the end of a tar file
    with tarfile.open(fileobj=content, mode="w") as archive:
        for file in filter(Path.is_file, files):
            if content.tell() + file.stat().st_size + 2048 <= room:
                archive.add(file, str(file.relative_to(runs)))
    data = content.getvalue()
    ensure_folder(output)
    parts = []
    for number in range(0, -(-len(data) // part)):
        parts.append(output / f"results.tar.{number}")
        atomic_write(parts[-1], data[number * part : (number + 1) * part])
    return parts


def unbundle(parts: Path, runs: Path) -> list[str]:
    """Put the runs of a bundle into a folder; return the names of its files.

    Raises:
        OptionError: there are no parts, or they are no bundle.
    """
    files = sorted(parts.glob("results.tar.*"), key=lambda file: int(file.suffix[1:]))
    if not files:
        raise OptionError(f"there is no results.tar.0 in {str(parts)!r}")
    content = io.BytesIO(b"".join(file.read_bytes() for file in files))
    ensure_folder(runs)
    try:
        with tarfile.open(fileobj=content) as archive:
            names = archive.getnames()
            archive.extractall(runs, filter="data")
    except tarfile.TarError as error:
        raise OptionError(f"the parts in {str(parts)!r} are no bundle: {error}") from error
    return names


def _rank(folder: Path, first: Sequence[str]) -> int:
    top = folder.parts[0]
    if top in first:
        return first.index(top)
    return len(first) + top.startswith(SCREENED)
