"""Whether a process is at work on a run: it says who it is in the run's folder, and the system says the rest.

The system is asked where it can be (Linux): for a process of this number that began at that time, on this
start of this machine. Elsewhere nothing is known.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mien.core.errors import OutputError
from mien.core.files import atomic_write

WORK = "at-work.json"
_MOST_BYTES = 10_000


@contextmanager
def at_work(folder: Path) -> Iterator[None]:
    """Say in a run's folder that this process works on it, until the block ends in whatever way."""
    here = _machine()
    if here is None:
        yield
        return
    mine = {"machine": here, "process": os.getpid(), "began": _began(os.getpid())}
    atomic_write(folder / WORK, json.dumps(mine) + "\n")
    try:
        yield
    finally:
        with suppress(OutputError):
            atomic_write(folder / WORK, "{}\n")


def is_at_work(folder: Path) -> bool | None:
    """Return whether a process is at work on the run; None where that cannot be known."""
    try:
        with (folder / WORK).open("rb") as file:
            said = json.loads(file.read(_MOST_BYTES))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    if not said:
        return False
    if said.get("machine") != _machine() or not isinstance(said.get("process"), int):
        return None  # another machine, this one before its last start, or another container
    began = _began(said["process"])
    return began is not None and began == said.get("began")


def _machine() -> str | None:
    """This start of this machine, and the numbers of processes that are seen in it."""
    try:
        start = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{start} {Path('/proc/self/ns/pid').readlink()}"
    except (OSError, ValueError):
        return None


def _began(process: int) -> str | None:
    """When a process began, in the system's ticks; None where there is none, or only what is left of it."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except (OSError, ValueError):
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold anything
    return fields[19] if len(fields) > 19 and fields[0] not in "ZX" else None
