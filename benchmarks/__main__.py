"""Run every benchmark, print each figure against its limit, keep the JSON, fail on a missed limit."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np

from benchmarks import (
    dashboard,
    desktop,
    films,
    live,
    network,
    photos,
    process,
    scenes,
    training,
    trust,
    web,
)
from benchmarks.measure import Figure
from mien.core.files import atomic_write, ensure_folder
from mien.core.version import __version__
from mien.zoo import store
from mien.zoo.registry import find, load_model

PARTS = (
    "network",
    "photos",
    "scenes",
    "trust",
    "films",
    "live",
    "desktop",
    "process",
    "training",
    "dashboard",
    "web",
)
RESULTS = Path("bench-results")
_YUNET_BESIDE = Path("../shared/models/face_detection_yunet_2023mar.onnx")


def main() -> int:
    """Measure what the arguments name, everything without them."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="default: all")
    parser.add_argument("--model", help="name or path of the model; default: the packaged one")
    arguments = parser.parse_args()
    parts = arguments.parts or list(PARTS)
    cv2.setNumThreads(1)
    machine = _machine()
    print(", ".join(f"{name} {value}" for name, value in machine.items()), flush=True)
    figures = []
    # Before the data folder changes, in which the person's own models are.
    if arguments.model is not None:
        arguments.model = str(find(arguments.model).path)
    with _own_data():
        for one in _figures(parts, _detectors(), arguments.model):
            print(one.line(), flush=True)
            figures.append(one)
    ensure_folder(RESULTS)
    when = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    content = {
        "mien": __version__,
        "time": when,
        "machine": machine,
        "figures": [f.to_dict() for f in figures],
    }
    path = RESULTS / f"{when}.json"
    atomic_write(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    missed = [f for f in figures if not f.holds]
    print(f"{len(figures) - len(missed)} of {len(figures)} limits hold; figures in {path}")
    return 1 if missed else 0


def _figures(parts: list[str], detectors: list[str], name: str | None) -> Iterator[Figure]:
    model = load_model(name, threads=1, device="cpu")
    if "network" in parts:
        yield from network.run(model)
    if "photos" in parts:
        yield from photos.run(model, detectors)
    if "scenes" in parts:
        yield from scenes.run(model, detectors)
    if "trust" in parts:
        yield from trust.run(model)
    if "films" in parts:
        yield from films.run(detectors)
    if "live" in parts:
        yield from live.run(detectors)
    if "desktop" in parts:
        if find_spec("PySide6") is None:
            print("desktop: left out, PySide6 is not installed", flush=True)
        else:
            yield from desktop.run(model)
    if "web" in parts:
        if find_spec("django") is None:
            print("web: left out, Django is not installed", flush=True)
        else:
            yield from web.run(model)
    if "process" in parts:
        yield from process.run()
    if "training" in parts:
        yield from training.run(model)
    if "dashboard" in parts:
        if find_spec("django") is None:
            print("dashboard: left out, Django is not installed", flush=True)
        else:
            yield from dashboard.run()


@contextmanager
def _own_data() -> Iterator[None]:
    """Give this process and those it starts an empty data folder, with YuNet where its file is to be had.

    The person's own folder stays as it is, and what lies in it changes no figure.
    """
    yunet = store.asset_path("yunet") or _YUNET_BESIDE
    before = os.environ.get("MIEN_DATA")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MIEN_DATA"] = folder
        try:
            if yunet.is_file():
                store.pull("yunet", source=str(yunet))
            yield
        finally:
            if before is None:
                del os.environ["MIEN_DATA"]
            else:
                os.environ["MIEN_DATA"] = before


def _detectors() -> list[str]:
    """Both detectors where YuNet is here."""
    if store.asset_path("yunet") is None:
        print("YuNet is not measured: its file is not here; mien models pull yunet gets it")
        return ["haar"]
    return ["yunet", "haar"]


def _machine() -> dict[str, object]:
    model = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )
    return {
        "processor": model,
        "processors": os.cpu_count(),
        "threads": 1,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "onnxruntime": importlib.metadata.version("onnxruntime"),
    }


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main())
