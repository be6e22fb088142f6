"""Where the results of `mien analyze` go: settled and checked before the work begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mien.core.errors import OptionError
from mien.core.files import shown

if TYPE_CHECKING:
    from mien.batch import Item


@dataclass(frozen=True)
class Places:
    """Where everything goes.

    Attributes:
        tables: files with the results of all photos.
        annotate: folder for drawn photos, and for drawn films where these have no other place; or None.
        films: the folder for what is found in films, or None.
        film_file: the one file for what is found in the one film, or None.
        ledger: of the run; or None.
        draws: anything is drawn.
    """

    tables: tuple[Path, ...] = ()
    annotate: Path | None = None
    films: Path | None = None
    film_file: Path | None = None
    ledger: Path | None = None
    draws: bool = False

    def targets(self, items: Sequence[Item]) -> list[Item]:
        """Return the items, each with the place of what is written about it alone."""
        from mien import batch

        photos = [item for item in items if not item.is_film]
        films = [item for item in items if item.is_film]
        if self.annotate is not None:
            photos = batch.with_targets(photos, self.annotate)
        if self.film_file is not None:
            films = [replace(item, target=self.film_file) for item in films]
        elif self.films is not None:
            drawn = [item.target for item in photos if item.target is not None]
            films = batch.with_film_targets(films, self.films, [*_own(self.films), *drawn])
        elif self.annotate is not None:
            placed = batch.with_film_targets(films, self.annotate)
            films = [
                replace(
                    item,
                    target=item.target.with_name(f"{item.target.name}{batch.ANNOTATED}"),
                    fills_folder=False,
                )
                for item in placed
                if item.target is not None
            ]
        return [*photos, *films]


def settle(
    items: Sequence[Item], given: str | None, annotate: Path | None, ledger: Path | None, *, annotated: bool
) -> Places:
    """Find out before the work whether its results can be kept, and where.

    Args:
        items: from `mien.batch.plan`.
        given: --output as it was typed: one that ends in a slash is a folder.
        annotate: --annotate.
        ledger: --ledger.
        annotated: a folder gets drawn photos and films too.

    Raises:
        OptionError: the suffix of `given` is not known, or is for one film; or two of the places are one.
        MissingExtraError: the format needs a part of Mien that is not installed.
        OutputError: a file or folder cannot be written.
    """
    from mien import batch

    films = [item for item in items if item.is_film]
    output = None if given is None else Path(given)
    if output is None or given is None:
        places = Places(annotate=annotate, ledger=ledger, draws=annotate is not None)
    elif batch.is_folder(given):
        photos = len(films) < len(items)
        places = Places(
            tables=_own(output)[:2] if photos else (),
            annotate=annotate or (output if photos and annotated else None),
            films=output if films else None,
            ledger=ledger or _own(output)[2],
            draws=annotated or annotate is not None,
        )
    else:
        book = ledger or output.parent / f"{output.name}.ledger"
        _check_single(output, items, films)
        tables, film = ((), output) if films else ((output,), None)
        places = Places(
            tables,
            annotate,
            film_file=film,
            ledger=book,
            draws=annotate is not None or _draws(output),
        )
    _check_places(places, output)
    _check_not_inputs(items, *places.tables, places.ledger, None if films == [] else output)
    return places


def _own(folder: Path) -> tuple[Path, Path, Path]:
    """Return the files of a whole run in the folder of results, whose names no film may take."""
    return folder / "photos.csv", folder / "photos.jsonl", folder / "analysis.ledger"


def _draws(output: Path) -> bool:
    from mien.video.write import SUFFIXES

    return output.suffix.lower() in SUFFIXES


def _check_single(output: Path, items: Sequence[Item], films: Sequence[Item]) -> None:
    """Refuse a file that cannot hold what is to be written."""
    from mien.records import FORMATS
    from mien.video import outputs, write

    if not films:
        if output.suffix.lower() not in FORMATS:
            raise _unknown_suffix(output, tuple(FORMATS))
        return
    if len(items) > 1:
        raise OptionError(
            f"{shown(output)} is one file, and a film is among {len(items)} inputs; give --output a folder"
        )
    known = (*outputs.SUFFIXES, *write.SUFFIXES)
    if output.suffix.lower() not in known:
        raise _unknown_suffix(output, known)
    if output.suffix.lower() in FORMATS and output.suffix.lower() not in outputs.SUFFIXES:
        raise OptionError(f"{shown(output)} is for photos; choose one of {', '.join(known)}, or a folder")


def _unknown_suffix(output: Path, known: Sequence[str]) -> OptionError:
    return OptionError(
        f"{shown(output)} has the unknown suffix {output.suffix!r}; choose one of {', '.join(known)}, or end "
        "it in a slash for a folder"
    )


def _check_places(places: Places, output: Path | None) -> None:
    from mien import batch

    # Compared before anything is made, so that a refused command leaves nothing behind.
    if places.annotate is not None:
        for option, file in (("--output", output), ("--ledger", places.ledger)):
            if (
                file is not None
                and file.absolute() == places.annotate.absolute()
                and file in (*places.tables, places.film_file, places.ledger)
            ):
                raise OptionError(f"--annotate and {option} are one place, {shown(file)}; name two")
    if places.ledger is not None and output is not None and places.ledger.absolute() == output.absolute():
        raise OptionError(f"--ledger and --output are one file, {shown(output)}; name two")
    for folder in (places.films, places.film_file and places.film_file.parent):
        if folder is not None:
            batch.check_folder(folder)
    for table in places.tables:
        batch.check_output(table)
    if places.ledger is not None:
        batch.check_folder(places.ledger.parent)
    if places.annotate is not None:
        batch.check_folder(places.annotate)


def _check_not_inputs(items: Sequence[Item], *outputs: Path | None) -> None:
    """Refuse to write over a picture or film that is to be read."""
    sources = {item.source.resolve() for item in items if isinstance(item.source, Path)}
    for output in outputs:
        if output is not None and not output.is_dir() and output.resolve() in sources:
            raise OptionError(f"{shown(output)} is an input as well as an output; name another file")
