"""Starting from another program's weights: names, digests, and what is refused."""

import hashlib
import pickle
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, of the train extra")

from safetensors.torch import save_file  # noqa: E402
from test_training import made_faces, weights  # noqa: E402

import mien  # noqa: E402
from mien.training.run_folder import read_facts  # noqa: E402

SMALL = {"width": 0.35, "input_size": 32}


@pytest.fixture(scope="module")
def backbone() -> dict[str, "torch.Tensor"]:
    """A MobileNetV2 as ImageNet weights come: torchvision's names and a thousand classes."""
    torch.manual_seed(11)
    network = mien.create_model("r2", [str(n) for n in range(1000)], **SMALL).module(seed=11)
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


@pytest.fixture
def file(backbone: dict[str, "torch.Tensor"], tmp_path: Path) -> Path:
    save_file(backbone, tmp_path / "mobilenet_v2.safetensors")
    return tmp_path / "mobilenet_v2.safetensors"


def timm_names(weights: dict[str, "torch.Tensor"]) -> dict[str, "torch.Tensor"]:
    """Torchvision's names → timm's, written down from the two networks' definitions."""
    stages = [1, 2, 3, 4, 3, 3, 1]
    places = [(stage, block) for stage, blocks in enumerate(stages) for block in range(blocks)]
    first = {"0.0": "conv_dw", "0.1": "bn1", "1": "conv_pw", "2": "bn2"}
    others = {"0.0": "conv_pw", "0.1": "bn1", "1.0": "conv_dw", "1.1": "bn2", "2": "conv_pwl", "3": "bn3"}
    renamed = {}
    for name, tensor in weights.items():
        layer, kind = name.rsplit(".", 1)
        ends = {"features.0.0": "conv_stem", "features.0.1": "bn1"}
        ends |= {"features.18.0": "conv_head", "features.18.1": "bn2", "classifier.1": "classifier"}
        if layer in ends:
            renamed[f"{ends[layer]}.{kind}"] = tensor
            continue
        found = re.fullmatch(r"features\.(\d+)\.conv\.([\d.]+)", layer)
        assert found is not None, name
        stage, block = places[int(found[1]) - 1]
        part = (first if found[1] == "1" else others)[found[2]]
        renamed[f"blocks.{stage}.{block}.{part}.{kind}"] = tensor
    return renamed


def begun(place: object, **options: object) -> dict[str, "torch.Tensor"]:
    network = mien.create_model("r2", ["happy", "sad"], init=place, **SMALL, **options)
    return network.module().state_dict()


def features(state: dict[str, "torch.Tensor"]) -> dict[str, "torch.Tensor"]:
    return {k: v for k, v in state.items() if k.startswith("features.") and "tracked" not in k}


@pytest.mark.parametrize("prefix", ["", "module.", "backbone.net."])
@pytest.mark.parametrize("names", ["torchvision", "timm"])
def test_all_but_the_last_layer_is_taken(
    backbone: dict[str, "torch.Tensor"], tmp_path: Path, prefix: str, names: str
) -> None:
    given = timm_names(backbone) if names == "timm" else backbone
    given = {f"{prefix}{name}": tensor for name, tensor in given.items()}
    if prefix:
        given["arcface.weight"] = torch.zeros(3, 3)  # a face recogniser's head beside the backbone
    save_file(given, tmp_path / "w.safetensors")
    state = features(begun(tmp_path / "w.safetensors"))
    assert state.keys() == features(backbone).keys()
    assert all(torch.equal(state[name], tensor) for name, tensor in features(backbone).items())


def test_last_layers_first_then_all_and_the_folder_says_from_where(file: Path, tmp_path: Path) -> None:
    network = mien.create_model("r2", ["happy", "sad"], init=file, **SMALL)
    data = made_faces(40)
    options = {"epochs": 2, "freeze_epochs": 1, "batch_size": 8, "validation": 0.2}
    first: dict[str, torch.Tensor] = {}

    def keep(log: mien.EpochLog) -> None:
        if log.epoch == 1:
            first.update(weights(tmp_path / "run"))

    run = mien.fit(network, data, tmp_path / "run", preset="r2", on_epoch=keep, **options)
    before, after = network.module().state_dict(), weights(run.folder)
    for name in ("features.0.1.running_mean", "features.3.conv.0.0.weight", "features.18.1.bias"):
        assert torch.equal(before[name], first[f"network/{name}"]), name
        assert not torch.equal(before[name], after[f"network/{name}"]), name
    assert not torch.equal(before["classifier.1.weight"], first["network/classifier.1.weight"])
    start = {
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "source": "mobilenet_v2.safetensors",
        "names": "torchvision",
    }
    assert read_facts(run.folder)["start"] == start
    assert run.model().card.training["start"] == start


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(file: Path) -> Iterator[str]:
    """An address on this machine that serves the folder of the weights."""
    served = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(file.parent)))
    thread = threading.Thread(target=served.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{served.server_port}"
    served.shutdown()
    served.server_close()
    thread.join()


def test_an_address_is_fetched_once(
    server: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "data"))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    address = f"{server}/{file.name}"
    with pytest.raises(mien.OptionError, match="need their digest"):
        begun(address)
    with pytest.raises(mien.DownloadError, match="nothing was kept"):
        begun(address, sha256="0" * 64)
    first = begun(address, sha256=digest)
    file.unlink()
    again = begun(address, sha256=digest)
    assert torch.equal(first["features.0.0.weight"], again["features.0.0.weight"])


def test_a_pickle_is_refused_unopened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple:
            return (Path.touch, (tmp_path / "sprung",))

    (tmp_path / "old.pth").write_bytes(pickle.dumps(Trap()))
    torch.save({"features.0.0.weight": torch.zeros(1)}, tmp_path / "new.pth")
    for name in ("old.pth", "new.pth"):
        with pytest.raises(mien.OptionError, match=r"is a pickle.*save_file"):
            begun(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"sha256": "1" * 64}, "get the file again"),
        ({"sha256": "abc"}, "64 hexadecimal digits"),
        ({"start": "mien-base"}, "not both"),
    ],
)
def test_wrong_use_says_why(file: Path, options: dict, why: str) -> None:
    with pytest.raises(mien.MienError, match=why):
        begun(file, **options)


def test_what_does_not_fit_is_named(backbone: dict[str, "torch.Tensor"], file: Path, tmp_path: Path) -> None:
    with pytest.raises(mien.TrainingError, match="another width"):
        mien.create_model("r2", ["happy", "sad"], init=file, input_size=32)
    with pytest.raises(mien.TrainingError, match="choose weights and network alike"):
        mien.create_model("r1", ["happy", "sad"], init=file)
    torn = {name: tensor for name, tensor in backbone.items() if name != "features.4.conv.2.weight"}
    save_file(torn, tmp_path / "torn.safetensors")
    with pytest.raises(mien.TrainingError, match=r"lack 'features\.4\.conv\.2\.weight'"):
        begun(tmp_path / "torn.safetensors")
    (tmp_path / "junk.safetensors").write_bytes(np.arange(40, dtype=np.uint8).tobytes())
    with pytest.raises(mien.TrainingError, match="no safetensors file"):
        begun(tmp_path / "junk.safetensors")
    with pytest.raises(mien.OptionError, match="check the path"):
        begun(tmp_path / "absent.safetensors")
    with pytest.raises(mien.OptionError, match="there is no file"):
        mien.create_model("r2", ["happy", "sad"], sha256="1" * 64)
