"""What is done already, so that a restart does only the rest: one JSON line for every finished item."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self, TypeVar

from mien.batch.items import Item, absolute
from mien.core.errors import OptionError, OutputError
from mien.core.files import reason, shown

if TYPE_CHECKING:
    from mien.core.film_results import FilmSummary
    from mien.core.results import ImageAnalysis

_Result = TypeVar("_Result")

SCHEMA = 1
_START = b'{"ledger": '


@dataclass(frozen=True, slots=True)
class _Entry:
    size: int
    mtime_ns: int
    target: str | None
    offset: int


class Ledger:
    """A file that grows by one line for every finished item and holds its whole result.

    The first line says what the run was: options, model, Mien's version and whatever else the caller
    puts in `run`. A ledger of another run is refused. Every line is handed to the operating system
    before the item counts as done; a last line that a crash cut off is dropped. An item whose file has
    changed size or time since, or whose annotated picture is gone, is not done. Failures are not
    written: a restart tries them again. Only one process can have a ledger open.

    Memory holds the place of each line, not the results.
    """

    def __init__(self, path: Path, run: Mapping[str, Any], *, fresh: bool = False) -> None:
        """Open or begin the ledger at `path`.

        Args:
            path: made if it is missing; its folder has to exist.
            run: plain JSON that has to be equal for results to be exchangeable.
            fresh: forget what an earlier run wrote.

        Raises:
            OptionError: the file is no ledger, or one of a run with other settings.
            OutputError: the file cannot be written, or another process has it open.
        """
        self.path = path
        self._header = {"ledger": SCHEMA, **run}
        self._entries: dict[str, _Entry] = {}
        try:
            # Unbuffered, so that a line is with the operating system when `write` returns.
            self._out: FileIO = path.open("ab", buffering=0)
            self._in: BinaryIO = path.open("rb")
        except OSError as error:
            raise OutputError(f"ledger {shown(path)} cannot be written: {reason(error)}") from error
        try:
            self._lock()
            self._read(fresh)
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._entries)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and keep it."""
        self._out.close()
        self._in.close()

    def remove(self) -> None:
        """Close and delete the file; for when the output is complete."""
        self.close()
        self.path.unlink(missing_ok=True)

    def find(self, item: Item) -> ImageAnalysis | None:
        """Return the result that an earlier run wrote for the same, unchanged item, or None."""
        from mien.core.images import describe_source
        from mien.core.results import ImageAnalysis

        analysis = self._written(item, ImageAnalysis.from_dict)
        return None if analysis is None else replace(analysis, source=describe_source(item.name))

    def find_film(self, item: Item) -> FilmSummary | None:
        """Return the summary that an earlier run wrote for the same, unchanged film, or None."""
        from mien.core.film_results import FilmSummary

        return self._written(item, FilmSummary.from_dict)

    def _written(self, item: Item, read: Callable[[Mapping[str, Any]], _Result]) -> _Result | None:
        entry = self._entries.get(item.key)
        target = None if item.target is None else absolute(item.target)
        if entry is None or (entry.size, entry.mtime_ns, entry.target) != (item.size, item.mtime_ns, target):
            return None
        if target is not None and not Path(target).exists():
            return None
        try:
            self._in.seek(entry.offset)
            return read(json.loads(self._in.readline())["analysis"])
        except (OSError, ValueError, TypeError, KeyError):
            return None

    def add(self, item: Item, analysis: ImageAnalysis | FilmSummary) -> None:
        """Write down that `item` is done.

        Raises:
            OutputError: the line cannot be written; what was written before stays readable.
        """
        target = None if item.target is None else absolute(item.target)
        line = {
            "key": item.key,
            "size": item.size,
            "mtime_ns": item.mtime_ns,
            "target": target,
            "analysis": analysis.to_dict(),
        }
        offset = self._append(line)
        self._entries[item.key] = _Entry(item.size, item.mtime_ns, target, offset)

    def _append(self, line: Mapping[str, Any]) -> int:
        # ASCII only: names with bytes that are no UTF-8 survive as escapes.
        data = json.dumps(line, ensure_ascii=True).encode("ascii") + b"\n"
        offset = self._out.seek(0, os.SEEK_END)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[self._out.write(rest) :]
        except OSError as error:
            self._out.truncate(offset)
            raise OutputError(
                f"ledger {shown(self.path)} cannot be written: {reason(error)}; "
                "make room and run the same command again"
            ) from error
        return offset

    def _read(self, fresh: bool) -> None:
        self._in.seek(0)
        first = self._in.readline()
        if not _begins_ledger(first):
            raise OptionError(f"{shown(self.path)} is not a ledger; name another file")
        if fresh or not first.endswith(b"\n"):
            self._out.truncate(0)
            self._append(self._header)
            return
        self._check_header(first)
        offset = len(first)
        for line in self._in:
            if not line.endswith(b"\n"):
                self._out.truncate(offset)
                break
            self._remember(line, offset)
            offset += len(line)

    def _check_header(self, line: bytes) -> None:
        try:
            header = json.loads(line)
        except ValueError:
            header = None
        if not isinstance(header, dict):
            raise OptionError(f"{shown(self.path)} is not a ledger; name another file")
        mine = json.loads(json.dumps(self._header))
        if header != mine:
            names = sorted(key for key in {*header, *mine} if header.get(key) != mine.get(key))
            raise OptionError(
                f"ledger {shown(self.path)} is of a run with other settings ({', '.join(names)}); "
                "repeat that run's settings, or start over with --no-resume (fresh=True)"
            )

    def _remember(self, line: bytes, offset: int) -> None:
        try:
            entry = json.loads(line)
            self._entries[entry["key"]] = _Entry(entry["size"], entry["mtime_ns"], entry["target"], offset)
        except (ValueError, TypeError, KeyError):
            return  # A damaged line costs one item done again, not the run.

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # Windows has no advisory locks
            return
        try:
            fcntl.flock(self._out, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                f"ledger {shown(self.path)} is in use by another run; wait for it or name another output"
            ) from None
        except OSError:  # a file system without locks
            return


def _begins_ledger(line: bytes) -> bool:
    """Tell a ledger's first line, also one that a crash cut off, from any other file's."""
    return line.startswith(_START[: len(line)])
