"""From a detector's name to a detector."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from mien.core.errors import ModelNotFoundError, OptionError
from mien.core.options import DETECTORS
from mien.pipeline.detect.base import Detector
from mien.pipeline.detect.haar import HaarBackend
from mien.pipeline.detect.search import SearchingDetector
from mien.pipeline.detect.yunet import YuNetBackend
from mien.zoo import store

AUTO_ORDER: tuple[str, ...] = ("yunet", "haar")
"""What `auto` tries, best first."""


def create_detector(name: str = "auto") -> Detector:
    """Return the detector called `name`; one of a name is shared by the whole process.

    "auto" is the best one whose files are present; the result's `name` tells which.

    Raises:
        OptionError: there is no detector of that name.
        ModelNotFoundError: the detector's files are not on this machine.
    """
    if name == "auto":
        return _best_present()
    if name not in _MAKERS:
        raise OptionError(f"unknown detector {name!r}; choose one of {', '.join(DETECTORS)}")
    return _MAKERS[name]()


def _best_present() -> Detector:
    for name in AUTO_ORDER[:-1]:
        try:
            return _MAKERS[name]()
        except ModelNotFoundError:
            continue
    return _MAKERS[AUTO_ORDER[-1]]()


def _yunet() -> Detector:
    path = store.asset_path("yunet")
    if path is None:
        raise ModelNotFoundError(
            "detector 'yunet' has no weights on this machine; run `mien models pull yunet` "
            "or choose detector 'haar'"
        )
    return _yunet_at(path)


@cache
def _yunet_at(path: Path) -> Detector:
    return SearchingDetector(YuNetBackend(path))


@cache
def _haar() -> Detector:
    return SearchingDetector(HaarBackend())


_MAKERS: dict[str, Callable[[], Detector]] = {"yunet": _yunet, "haar": _haar}
