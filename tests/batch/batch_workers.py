"""Workers for tests of the machinery: they look at file names instead of faces. Importable, so that a
freshly started process can have them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mien.batch import Item
from mien.core.errors import ImageFormatError, MienError, ModelError, OutputError
from mien.core.results import ImageAnalysis, ModelReference

Results = list[ImageAnalysis | MienError]


def result(name: str, width: int = 1) -> ImageAnalysis:
    return ImageAnalysis((), width, 1, ModelReference("fake", "0" * 64), "none", "0" * 16, 0.0, name)


@dataclass(frozen=True)
class NameWorker:
    """Gives a result for every item and notes each try in `log`; the name says what goes wrong.

    "bad": an error. "full": no room for results. "deadly": the process is killed. "once": it is killed
    the first time.
    """

    log: Path | None = None

    @contextmanager
    def open(self) -> Iterator[Callable[[Sequence[Item]], Results]]:
        yield lambda items: [self._one(item) for item in items]

    def _one(self, item: Item) -> ImageAnalysis | MienError:
        tries = self._note(item.name)
        if "deadly" in item.name or ("once" in item.name and tries == 1):
            os.kill(os.getpid(), signal.SIGKILL)
        if "full" in item.name:
            raise OutputError("the disk is full")
        if "bad" in item.name:
            return ImageFormatError(f"{item.name} is damaged")
        return result(item.name, os.getpid())

    def _note(self, name: str) -> int:
        if self.log is None:
            return 1
        with self.log.open("a", encoding="utf-8") as file:
            file.write(f"{name}\n")
        return self.log.read_text(encoding="utf-8").splitlines().count(name)


@dataclass(frozen=True)
class NoModelWorker:
    """Cannot get ready."""

    @contextmanager
    def open(self) -> Iterator[Callable[[Sequence[Item]], Results]]:
        raise ModelError("the model is not to be had")
        yield


@dataclass(frozen=True)
class StillbornWorker:
    """Dies while it gets ready."""

    @contextmanager
    def open(self) -> Iterator[Callable[[Sequence[Item]], Results]]:
        os.kill(os.getpid(), signal.SIGKILL)
        yield
