"""Files of Keras with damaged bytes or odd descriptions: errors of Mien, whatever libraries make of them."""

import json
import os
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, of the train extra")
h5py = pytest.importorskip("h5py", reason="needs h5py, of the train extra")

from hostile_support import damaged, variants  # noqa: E402
from hypothesis import given  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from keras_support import CONV, model, write_newer, write_older  # noqa: E402

from mien.core.errors import ModelError  # noqa: E402
from mien.training.keras_import._apart import parse, read_hdf5  # noqa: E402
from mien.training.keras_import.config import read_structure  # noqa: E402
from mien.training.keras_import.file import read_keras_file  # noqa: E402


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    weights = {
        "conv2d": {"kernel": np.ones((3, 3, 1, 2)), "bias": np.ones(2)},
        "dense": {"kernel": np.ones((2, 2))},
    }
    return write_older(tmp_path_factory.mktemp("small") / "small.h5", weights).read_bytes()


@given(st.data())
def test_a_torn_file_is_refused(small: bytes, data: st.DataObject) -> None:
    with pytest.raises(ModelError, match="damaged"):
        parse(small[: data.draw(st.integers(0, len(small) - 1))], "it")


def test_a_file_that_keeps_the_library_busy_is_given_up(small: bytes) -> None:
    with pytest.raises(ModelError, match="cannot be read in 0 seconds, so it is damaged"):
        read_hdf5(small, "it", patience=1e-6)


FUZZ = """
import signal, sys
from hostile_support import damaged
from mien.core.errors import ModelError
from mien.training.keras_import._apart import parse
content, first = open(sys.argv[1], "rb").read(), int(sys.argv[2])
signal.signal(signal.SIGALRM, signal.SIG_DFL)
for number in range(first, 400):
    print(number, flush=True)
    signal.alarm(5)
    try:
        parse(damaged(content, number), "it")
    except ModelError:
        pass
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGALRM")
@pytest.mark.parametrize("form", ["older", "newer"])
def test_damaged_bytes_are_an_error_of_mien_or_the_librarys_end(
    tmp_path: Path, small: bytes, form: str
) -> None:
    path = tmp_path / "small.h5"
    if form == "older":
        path.write_bytes(small)
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"], file.attrs["keras_version"] = "{}", "2.12.0"
    else:
        write_newer(path, {"conv2d": {"kernel": np.ones((3, 3, 1, 2)), "bias": np.ones(2)}})
    first = 0
    while first < 400:
        command = [sys.executable, "-c", FUZZ, str(path), str(first)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        first = int(done.stdout.split()[-1]) + 1
        # Below zero: a signal ended it inside of the library, which is why files are read apart.
        assert done.returncode <= 0, f"damage {first - 1}: {done.stderr[-2000:]}"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")
def test_what_breaks_the_process_apart_is_an_error_of_mien(
    small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(ModelError, match=r"made the HDF5 library fail \(code 1\)"):
        read_hdf5(small, "it")


def test_no_module_of_the_present_folder_is_run(
    tmp_path: Path, small: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("json", "h5py", "numpy"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'it-ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    assert len(read_hdf5(small, "it").layers) == 2
    assert not (tmp_path / "it-ran").exists()


def test_damaged_archives_are_errors_of_mien(tmp_path: Path) -> None:
    path = tmp_path / "a.keras"
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with zipfile.ZipFile(path, "w", method) as made:
            for name in ("config.json", "metadata.json", "model.weights.h5"):
                made.writestr(name, json.dumps(model(("Conv2D", CONV))))
        whole = path.read_bytes()
        for number in range(300):
            path.write_bytes(damaged(whole, number))
            with pytest.raises(ModelError):
                read_keras_file(path)


def test_odd_descriptions_are_errors_of_mien_or_structures() -> None:
    layers = (
        ("InputLayer", {"batch_shape": [None, 48, 48, 1]}),
        ("Rescaling", {"scale": 0.1, "offset": 0.5}),
        ("ZeroPadding2D", {"padding": [[1, 1], [1, 1]]}),
        ("Conv2D", {**CONV, "padding": "valid", "dilation_rate": [1, 1], "groups": 1}),
        ("BatchNormalization", {"axis": [3], "epsilon": 0.001}),
        ("MaxPooling2D", {"pool_size": [2, 2], "strides": [2, 2], "padding": "same"}),
        ("LeakyReLU", {"alpha": 0.1}),
        ("ReLU", {"max_value": 6, "negative_slope": 0.0}),
        ("Dense", {"activation": {"class_name": "function", "config": "softmax"}}),
    )
    assert read_structure(model(*layers), "it").scale == 0.1
    read = 0
    for variant in variants(model(*layers)):
        if isinstance(variant, dict):
            with suppress(ModelError):
                found = read_structure(variant, "it")
                assert 1e-6 <= found.scale <= 1e6
                read += 1
    assert read > 100


def test_numbers_that_no_card_can_hold_are_refused(tmp_path: Path) -> None:
    for scale in (1e-300, 1e300, 0, -1):
        with pytest.raises(ModelError, match="'rescaling_x' in it scales by"):
            read_structure(model(("Rescaling", {"scale": scale})), "it")
    with pytest.raises(ModelError, match=r"has strides \[0, 0\]"):
        read_structure(model(("Conv2D", {**CONV, "strides": [0, 0]})), "it")
    with pytest.raises(ModelError, match="512 pixels are the limit"):
        read_structure(model(("InputLayer", {"batch_shape": [None, 4096, 4096, 1]})), "it")
    deep: dict[str, Any] = {"args": []}
    for _ in range(5000):
        deep = {"args": [deep]}
    layer = {"class_name": "Dense", "config": {"name": "d"}, "inbound_nodes": [deep]}
    with pytest.raises(ModelError, match="nested too deeply"):
        read_structure({"class_name": "Functional", "config": {"layers": [layer]}}, "it")
    big = {"dense": {"kernel": np.ones((2, 2))}}
    path = write_older(tmp_path / "big.h5", big)
    with h5py.File(path, "r+") as file:
        del file["dense/dense/kernel:0"]
        file["dense/dense/kernel:0"] = np.full((2, 2), 1e300)
    with pytest.raises(ModelError, match="not finite"):
        read_keras_file(path)
