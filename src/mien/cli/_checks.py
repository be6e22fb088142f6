"""What `mien doctor` looks at: each check gives findings, and advice for what is not right."""

from __future__ import annotations

import importlib
import platform
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from mien.core.errors import MienError, VideoError
from mien.core.files import shown
from mien.core.machine import processors
from mien.core.version import __version__

REINSTALL = "install Mien again in a fresh environment: python -m pip install mien"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: "ok", "note" (missing, not needed) or "problem" (needed and broken)."""

    state: Literal["ok", "note", "problem"]
    text: str
    advice: str = ""


# Of the packages that are imported under another name, and what the base cannot do without.
_MODULES = {
    "numpy": "numpy",
    "onnxruntime": "onnxruntime",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "typer": "typer",
    "rich": "rich",
    "platformdirs": "platformdirs",
}

Check = Callable[[], Iterator[Finding]]


def python() -> Iterator[Finding]:
    """The interpreter and the machine."""
    version = platform.python_version()
    yield Finding("ok", f"Python {version} on {platform.system()} {platform.machine()}")
    yield Finding("ok", f"mien {__version__} in {Path(__file__).parents[1]}")


def libraries() -> Iterator[Finding]:
    """The base: does each library load, and which version is it?"""
    for package in _required().get("", list(_MODULES)):
        try:
            importlib.import_module(_MODULES.get(package, package))
        except Exception as error:  # a shared library that is missing can raise anything
            yield Finding("problem", f"{package} does not load ({error})", REINSTALL)
        else:
            yield Finding("ok", f"{package} {_version(package) or 'of unknown version'}")
    for rival in ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless"):
        if version := _version(rival):
            advice = f"pip uninstall {rival} opencv-python-headless, then {REINSTALL}"
            yield Finding("note", f"{rival} {version} overwrites opencv-python-headless", advice)


def extras() -> Iterator[Finding]:
    """The optional parts, as the package's metadata lists them."""
    packages = _required()
    if not packages:
        yield Finding("note", "Mien runs from a folder and is not installed", "python -m pip install -e .")
    for extra_name in sorted(set(packages) - {"", "test", "dev"}):
        missing = [package for package in packages[extra_name] if _version(package) is None]
        if missing:
            text = f"extra {extra_name}: without {', '.join(missing)}"
            yield Finding("note", text, f"only if you want it: pip install 'mien[{extra_name}]'")
        else:
            yield Finding("ok", f"extra {extra_name}")


def models() -> Iterator[Finding]:
    """Every installed model and detector file against its digest and card."""
    from mien.zoo import store

    for check in store.verify():
        if check.problem is None:
            yield Finding("ok", f"{check.origin} {check.name}")
        elif check.origin == "user":
            advice = f"remove {shown(check.path)} or add it again with: mien models add"
            yield Finding("problem", f"{check.name}: {check.problem}", advice)
        elif check.origin == "detector":
            yield Finding("problem", f"{check.name}: {check.problem}", f"mien models pull {check.name}")
        else:
            yield Finding("problem", f"{check.name}: {check.problem}", REINSTALL)
    yield Finding("ok", f"your own models go to {shown(store.user_folder())}")


def detectors() -> Iterator[Finding]:
    """The detectors that can be used."""
    from mien.core.errors import ModelNotFoundError
    from mien.core.options import DETECTORS
    from mien.pipeline.detect import create_detector

    for name in DETECTORS:
        try:
            found = create_detector(name).name
        except ModelNotFoundError:
            yield Finding("note", f"detector {name} is not here", f"it finds more: mien models pull {name}")
        except MienError as error:
            yield Finding("problem", f"detector {name}: {error}", REINSTALL)
        else:
            yield Finding("ok", f"detector {name}" if found == name else f"detector {name} is {found}")


def compute() -> Iterator[Finding]:
    """Where the classifier can run."""
    onnxruntime = importlib.import_module("mien.zoo.runtime").load_runtime()
    providers = [name.removesuffix("ExecutionProvider") for name in onnxruntime.get_available_providers()]
    yield Finding("ok", f"{processors()} processors; ONNX Runtime offers {', '.join(providers)}")
    if "CUDA" not in providers:
        advice = "only with an NVIDIA GPU: replace onnxruntime by onnxruntime-gpu"
        yield Finding("note", "no GPU is used", advice)


def window() -> Iterator[Finding]:
    """Whether the desktop program can open its window: Qt, the system's libraries, a display."""
    from mien.desktop import _display

    without = "mien analyze and mien live --no-window need no window"
    missing = [package for package in _display.PACKAGES if find_spec(package) is None]
    if missing:
        advice = "for mien desktop and the window of mien live: pip install 'mien[desktop]'"
        yield Finding("note", f"no window: {' and '.join(missing)} not installed", advice)
        return
    yield Finding("ok", f"PySide6 {_version('PySide6-Essentials') or 'of unknown version'}")
    if not _display.has_display():
        yield Finding("note", "no window: there is no display", f"log in at a screen; {without}")
        return
    if lost := _display.missing_libraries():
        yield Finding("problem", f"no window: {_display.lacking(lost)}", _display.how_to_install(lost))
        return
    platform, why = _display.open_display()
    if why:
        yield Finding("problem", f"no window can be opened: {why}", f"check the display; {without}")
    else:
        yield Finding("ok", f"a window can be opened ({platform})")


def cameras() -> Iterator[Finding]:
    """Camera devices, without opening any."""
    if sys.platform != "linux":
        yield Finding("note", "cameras are not listed on this system", "try one: mien doctor --camera 0")
        return
    from mien.video.cameras import camera_numbers

    if numbers := camera_numbers():
        yield Finding("ok", f"camera devices: {', '.join(f'/dev/video{number}' for number in numbers)}")
    else:
        yield Finding(
            "note", "no camera device", "only for live pictures: connect one and look for /dev/video0"
        )


def camera(number: int) -> Iterator[Finding]:
    """Open one camera and read a picture."""
    from mien.video.camera import open_camera

    try:
        opened = open_camera(number, size=None)
    except VideoError:
        advice = "check that it is connected, that no other program uses it and that you may open it"
        yield Finding("problem", f"camera {number} gives no picture", advice)
        return
    opened.close()
    yield Finding("ok", f"camera {number} gives {opened.info.width}×{opened.info.height} pixels")


def self_test() -> Iterator[Finding]:
    """Read a sample photo from file to emotion, with what is installed."""
    from mien.cli.demo import sample_photos
    from mien.pipeline.analyzer import Analyzer

    with sample_photos() as photos, Analyzer() as analyzer:
        for photo in photos:
            analysis = analyzer.analyze(photo)
            if analysis.faces:
                face = analysis.faces[0]
                text = f"self-test: {photo.name} reads {face.emotion or 'uncertain'} ({face.confidence:.0%})"
                yield Finding("ok", f"{text} with {analysis.model.name} and {analysis.detector}")
                return
    yield Finding("problem", "self-test: no face found in the sample photos", REINSTALL)


def _required() -> dict[str, list[str]]:
    """Return the packages of each extra, those of the base under ""; empty where Mien is not installed."""
    packages: dict[str, list[str]] = {}
    try:
        requirements = metadata.requires("mien") or []
    except metadata.PackageNotFoundError:
        return packages
    for requirement in requirements:
        name = re.match(r"[A-Za-z0-9._-]+", requirement)
        extra = re.search(r"extra == ['\"]([^'\"]+)", requirement)
        if name and name[0] != "mien":
            packages.setdefault(extra[1] if extra else "", []).append(name[0])
    return packages


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
