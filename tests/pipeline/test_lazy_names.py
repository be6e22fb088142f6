from __future__ import annotations

import subprocess
import sys

import pytest

import mien


def test_every_public_name_loads() -> None:
    for name in mien.__all__:
        assert getattr(mien, name) is not None
    assert set(mien.__all__) <= set(dir(mien))


def test_importing_mien_loads_nothing_heavy() -> None:
    script = (
        "import sys, mien; dir(mien); mien.MienError; mien.Emotion.HAPPY.label('vi')\n"
        "heavy = {'numpy', 'cv2', 'onnxruntime', 'PIL', 'torch', 'av', 'scipy'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-I", "-c", script], check=True)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        mien.analyse  # noqa: B018
