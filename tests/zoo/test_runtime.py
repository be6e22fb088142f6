"""ONNX Runtime is loaded in one place, which keeps it from telling its maker about this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import mien

SOURCES = Path(mien.__file__).parent
SAMPLE = SOURCES / "samples" / "eileen-collins.jpg"


def run(program: str, temporary: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    environment = {**kept, "TMPDIR": str(temporary), "HOME": str(temporary)}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=120)


def test_an_analysis_leaves_no_identifier_of_the_device(tmp_path: Path) -> None:
    run(f"import mien; assert mien.analyze({str(SAMPLE)!r}).faces", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_loads_it_past_that_place() -> None:
    direct = re.compile(
        r"^\s*(?:import onnxruntime|from onnxruntime\b)|import_module\(.onnxruntime", re.MULTILINE
    )
    found = {
        str(path.relative_to(SOURCES))
        for path in SOURCES.rglob("*.py")
        if direct.search(path.read_text(encoding="utf-8"))
    }
    # quantize takes a part of it after it is loaded
    assert found == {"zoo/runtime.py", "training/quantize.py"}
