"""Files of Keras that are damaged, hostile, of another network, or of an older Keras."""

import io
import json
import os
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, of the train extra")
h5py = pytest.importorskip("h5py", reason="needs h5py, of the train extra")

from keras_support import CONV, Weights, model, weights_of, write_newer, write_older  # noqa: E402

from mien.core.errors import MissingExtraError, ModelError, ModelNotFoundError, OptionError  # noqa: E402
from mien.training.architectures import create_network  # noqa: E402
from mien.training.batches import MEAN, STD  # noqa: E402
from mien.training.keras_import.config import read_structure  # noqa: E402
from mien.training.keras_import.options import ImportOptions, labels_for  # noqa: E402
from mien.training.keras_import.rebuild import rebuild  # noqa: E402
from mien.training.keras_import.twin import twin_of  # noqa: E402
from mien.training.start import put_weights, read_start  # noqa: E402


def parameters(network: Any) -> Any:
    return torch.cat([value.flatten().double() for value in network.state_dict().values()])


def read(path: Path, architecture: str = "r5", **options: Any) -> Any:
    return rebuild(path, architecture, name="own", options=ImportOptions(**options))


@pytest.fixture(scope="module")
def five() -> Weights:
    return weights_of("r5", 5)


def test_weights_of_older_and_newer_kerases_are_the_same(tmp_path: Path, five: Weights) -> None:
    plain = parameters(read(write_older(tmp_path / "a.h5", five)).network)
    for path in (
        write_older(tmp_path / "b.h5", five, cut=True),
        write_newer(tmp_path / "c.weights.h5", five),
        write_newer(tmp_path / "d.weights.h5", five, "\\"),
    ):
        assert torch.equal(parameters(read(path).network), plain)


def test_kernels_are_turned_and_flattened_rows_are_sorted(tmp_path: Path, five: Weights) -> None:
    network = read(write_older(tmp_path / "a.h5", five)).network
    first = next(module for module in network.modules() if isinstance(module, torch.nn.Conv2d))
    kernel = five["conv2d"]["kernel"].astype(np.float32)
    assert first.weight[7, 0, 2, 1] == kernel[2, 1, 0, 7]
    dense = network.head[0].dense
    # Keras counts channels fastest, PyTorch columns: here row 2, column 1, channel 100 of 3×3×128.
    assert dense.weight[9, 100 * 9 + 2 * 3 + 1] == np.float32(
        five["dense"]["kernel"][(2 * 3 + 1) * 128 + 100, 9]
    )


def test_a_side_follows_from_what_is_flattened(tmp_path: Path, five: Weights) -> None:
    larger = {**five, "dense": {**five["dense"], "kernel": np.ones((128 * 36, 512))}}
    assert read(write_older(tmp_path / "a.h5", larger)).card.input.width == 96


def refused(path: Path, *words: str, architecture: str = "r5", **options: Any) -> None:
    with pytest.raises(ModelError) as caught:
        read(path, architecture, **options)
    for word in words:
        assert word in str(caught.value)


def test_another_network_is_refused_by_its_first_layer_that_differs(tmp_path: Path, five: Weights) -> None:
    path = write_older(tmp_path / "a.h5", five)
    refused(path, "'conv2d'", "(3, 3, 1, 32)", "(3, 3, 1, 64)", architecture="r3")
    refused(path, "6 layers of the kind convolution", "r1 has 7", architecture="r1")
    odd = {**five, "batch_normalization_2": {**five["batch_normalization_2"], "gamma": np.ones(63)}}
    refused(write_older(tmp_path / "b.h5", odd), "'batch_normalization_2'", "gamma", "(63,)", "(64,)")
    less = {name: arrays for name, arrays in five.items() if name != "dense"}
    refused(write_older(tmp_path / "c.h5", less), "'dense_1'", "(512, 5)")
    more = {**five, "gru": {"kernel": np.ones((4, 4)), "recurrent_kernel": np.ones((4, 4))}}
    refused(write_older(tmp_path / "d.h5", more), "'gru'", "recurrent_kernel")


def test_numbers_that_are_none_are_refused(tmp_path: Path, five: Weights) -> None:
    five = {**five, "dense_1": {**five["dense_1"], "bias": np.full(5, np.nan)}}
    refused(write_older(tmp_path / "a.h5", five), "dense_1/bias:0", "not finite")


def test_what_is_no_file_of_keras(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="does not exist"):
        read(tmp_path / "nothing.h5")
    (tmp_path / "saved").mkdir()
    refused(tmp_path / "saved", "is a folder")
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"")
    refused(tmp_path / "saved", "SavedModel", "load_model")
    (tmp_path / "pointer.h5").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    refused(tmp_path / "pointer.h5", "Git LFS")
    (tmp_path / "page.h5").write_text("<!doctype html>")
    refused(tmp_path / "page.h5", "neither HDF5")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["pixels"] = np.zeros(3)
    refused(tmp_path / "data.h5", "no layers of Keras", "pixels")


def external(file: Any) -> None:
    file["dense_1/dense_1/kernel:0"] = h5py.ExternalLink("/etc/hostname", "/x")


def soft(file: Any) -> None:
    file["dense_1/dense_1/kernel:0"] = h5py.SoftLink("/dense/dense/kernel:0")


def outside(file: Any) -> None:
    where = [("/etc/hostname", 0, h5py.h5f.UNLIMITED)]
    file.create_dataset("dense_1/dense_1/kernel:0", (2, 2), "f4", external=where)


def virtual(file: Any) -> None:
    layout = h5py.VirtualLayout((2, 2), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (2, 2))
    file.create_virtual_dataset("dense_1/dense_1/kernel:0", layout)


def huge(file: Any) -> None:
    file.create_dataset("dense_1/dense_1/kernel:0", (2**20, 2**20), "f4", chunks=(8, 8))


def texts(file: Any) -> None:
    file["dense_1/dense_1/kernel:0"] = [b"a", b"b"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (external, "link to another place"),
        (soft, "link to another place"),
        (outside, "lies in another file"),
        (virtual, "lies in another file"),
        (huge, "too large"),
        (texts, "not floating-point numbers"),
    ],
)
def test_a_hostile_file_is_refused(
    tmp_path: Path, five: Weights, change: Callable[[Any], None], says: str
) -> None:
    path = write_older(tmp_path / "a.h5", five)
    with h5py.File(path, "r+") as file:
        del file["dense_1/dense_1/kernel:0"]
        change(file)
    refused(path, says)


def archive(path: Path, config: Any, weights: bytes, **more: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("config.json", config if isinstance(config, bytes) else json.dumps(config))
        made.writestr("metadata.json", "{}")
        made.writestr("model.weights.h5", weights)
        for name, content in more.items():
            made.writestr(name, content)
    return path


def test_hostile_archives_are_refused(tmp_path: Path, five: Weights) -> None:
    inner = io.BytesIO()
    weights = write_newer(inner, five).getvalue()
    path = tmp_path / "a.keras"
    refused(archive(path, {}, weights, **{"../../evil": b""}), "'../../evil'", "leads out")
    refused(archive(path, {}, weights, **{"/etc/evil": b""}), "leads out")
    refused(archive(path, b" " * 20 * 2**20, weights), "config.json", "16 MB")
    refused(archive(path, b"[" * 100_000, weights), "not JSON")
    refused(archive(path, [], weights), "no JSON object")
    refused(archive(path, {}, weights), "malformed")
    refused(archive(path, {}, b"PK"), "model.weights.h5", "not HDF5")
    whole = archive(path, {}, weights).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    refused(path, "damaged archive")
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("config.json", "{}")
    refused(path, "0 files metadata.json")


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ((("Lambda", {}),), ("'lambda_x'", "is a Lambda")),
        ((("Conv2D", {**CONV, "padding": "valid"}),), ("'conv2d_x'", "padded otherwise")),
        ((("Conv2D", {**CONV, "dilation_rate": [2, 2]}),), ("'conv2d_x'", "dilated")),
        ((("Conv2D", {**CONV, "activation": "selu"}),), ("'conv2d_x'", "'selu'")),
        ((("Conv2D", CONV), ("Rescaling", {"scale": 2})), ("'rescaling_x'", "only the input")),
        ((("BatchNormalization", {"axis": 2}),), ("'batchnormalization_x'", "axis 2")),
        ((("MaxPooling2D", {"pool_size": [3, 3]}),), ("'maxpooling2d_x'", "not a 2×2")),
        ((("Conv2D", {**CONV, "data_format": "channels_first"}),), ("channels first",)),
        ((("InputLayer", {"batch_shape": [None, 10]}),), ("not pictures",)),
        ((("Dense", {"activation": {"class_name": "function", "config": "mine"}}),), ("'mine'",)),
    ],
)
def test_a_description_of_another_model_is_refused_by_layer(
    tmp_path: Path, five: Weights, layers: tuple[tuple[str, dict[str, Any]], ...], words: tuple[str, ...]
) -> None:
    inner = io.BytesIO()
    refused(archive(tmp_path / "a.keras", model(*layers), write_newer(inner, five).getvalue()), *words)


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    config = model(kind="MyModel")
    refused(archive(tmp_path / "a.keras", config, write_newer(io.BytesIO(), {}).getvalue()), "no layers")
    weights = write_newer(io.BytesIO(), {"dense": {"kernel": np.ones((2, 2))}}).getvalue()
    refused(archive(tmp_path / "a.keras", config, weights), "MyModel")


def test_missing_h5py_is_named(tmp_path: Path, five: Weights, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_older(tmp_path / "a.h5", five)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtraError, match="h5py"):
        read(path)


def test_labels_are_the_usual_ones_or_those_given() -> None:
    assert labels_for("r4", None, 7)[-1] == "neutral"
    assert labels_for("r1", None, 7)[4] == "neutral"
    assert labels_for("r5", ["Angry", "Fear", "Happiness", "sad ", "bored"], 5) == (
        "angry",
        "fear",
        "happy",
        "sad",
        "bored",
    )
    with pytest.raises(OptionError, match=r"6 outputs.*--labels"):
        labels_for("r1", None, 6)
    with pytest.raises(OptionError, match="different"):
        labels_for("r5", ["a", "a", "b", "c", "d"], 5)


def test_pixels_are_scaled_as_said(tmp_path: Path, five: Weights) -> None:
    path = write_older(tmp_path / "a.h5", five)

    def mean_and_std(**options: Any) -> tuple[float, float]:
        reads = read(path, **options).card.input
        return reads.mean, reads.std

    assert mean_and_std() == (0, 1)
    assert mean_and_std(scale="signed") == (0.5, 0.5)
    assert mean_and_std(scale="pixels") == (0, pytest.approx(1 / 255))
    assert mean_and_std(mean=0.4, std=0.2) == (0.4, 0.2)
    with pytest.raises(OptionError, match="belong together"):
        ImportOptions(mean=0.5)
    with pytest.raises(OptionError, match="not both"):
        ImportOptions(mean=0.5, std=0.5, scale="unit")


def test_nothing_is_written_to_the_disk_by_reading(tmp_path: Path, five: Weights) -> None:
    path = archive(tmp_path / "a.keras", model(), write_newer(io.BytesIO(), five).getvalue())
    refused(path, "description lacks")
    assert os.listdir(tmp_path) == ["a.keras"]  # noqa: PTH208


def test_a_functional_description_of_keras_2(five: Weights) -> None:
    """Its layers read `[name, node, tensor, options]`; numbers of operations stand in the options."""

    def entry(kind: str, name: str, source: str, options: dict[str, Any], **config: Any) -> dict[str, Any]:
        calls = [[[source, 0, 0, options]]] if source else []
        return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": calls}

    inner = [
        {"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [None, 48, 48, 1]}},
        {"class_name": "Conv2D", "config": {"name": "c", **CONV}},
    ]
    nested = {"class_name": "Sequential", "config": {"name": "n", "layers": inner}, "name": "n"}
    layers = [
        entry("InputLayer", "faces", "", {}, batch_input_shape=[None, 48, 48, 1]),
        entry("TFOpLambda", "t", "faces", {"y": 127.5, "name": None}, function="math.truediv"),
        {
            **entry("TFOpLambda", "s", "", {}, function="math.subtract"),
            "inbound_nodes": [["t", 0, 0, {"y": 1.0, "name": None}]],
        },
        {**nested, "inbound_nodes": [[["s", 0, 0, {}]]]},
        entry("LeakyReLU", "l", "n", {}, alpha=0.10000000149011612),
    ]
    description = {"class_name": "Functional", "config": {"layers": layers, "output_layers": [["l", 0, 0]]}}
    found = read_structure(description, "it")
    assert [step.what for step in found.steps] == ["3×3 convolution", "ReLU", "leaky ReLU of slope 0.1"]
    assert (found.scale, found.offset) == (pytest.approx(2 / 255), -1)
    assert [layer.place for layer in found.weighted] == ["layers/sequential/layers/conv2d"]
    layers.append(entry("LeakyReLU", "two", "n", {}, alpha=0.1))
    with pytest.raises(ModelError, match="'two' in it reads n; the networks here do not branch"):
        read_structure(description, "it")


@pytest.mark.parametrize("scale", ["unit", "signed"])
def test_fine_tuning_starts_from_weights_for_its_scaling(tmp_path: Path, five: Weights, scale: str) -> None:
    rebuilt = read(write_older(tmp_path / "a.h5", five), scale=scale)
    content = twin_of(rebuilt.network, rebuilt.card, rebuilt.arguments)
    (tmp_path / "own.safetensors").write_bytes(content)
    start = read_start(tmp_path / "own.safetensors")
    assert start.network == {"architecture": "r5"}
    assert start.labels == rebuilt.card.labels
    fresh = create_network("r5", 5)
    assert put_weights(fresh, start) == ()
    pixels = torch.rand(1, 1, 48, 48)
    reads = rebuilt.card.input
    with torch.no_grad():
        ours = rebuilt.network.features[0].conv((pixels - reads.mean) / reads.std)
        trained = fresh.features[0].conv((pixels - MEAN) / STD)
    inside = (..., slice(1, -1), slice(1, -1))  # the border is padded with another grey
    assert torch.allclose(ours[inside], trained[inside], atol=1e-4)


def test_what_training_cannot_make_has_no_weights_to_fine_tune(tmp_path: Path, five: Weights) -> None:
    rebuilt = read(write_older(tmp_path / "a.h5", five), activation="after")
    assert twin_of(rebuilt.network, rebuilt.card, rebuilt.arguments) is None
