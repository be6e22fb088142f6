"""The Python door: load, create, fit, evaluate, export, analyse."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, of the train extra")

from test_training import made_faces, weights  # noqa: E402

import mien  # noqa: E402
from mien.core import images  # noqa: E402
from mien.training.run_folder import read_config  # noqa: E402

FAST = {"epochs": 3, "batch_size": 8, "warmup_epochs": 0, "learning_rate": 0.02, "average": 0.3}
FEW = {**FAST, "validation": 0.2}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> mien.FaceDataset:
    """Made faces as someone has them: one folder an emotion."""
    made, folder = made_faces(80), tmp_path_factory.mktemp("door") / "faces"
    for label in made.labels:
        (folder / label).mkdir(parents=True)
    for face, target, name in zip(made.images, made.targets, made.names, strict=True):
        images.save(np.repeat(face[:, :, None], 3, 2), folder / made.labels[target] / name)
    return mien.load_dataset(folder, cache=False)


@pytest.fixture(scope="module")
def run(data: mien.FaceDataset, tmp_path_factory: pytest.TempPathFactory) -> mien.Run:
    network = mien.create_model("mien-tiny", data.labels, attention=False)
    return mien.fit(network, data, tmp_path_factory.mktemp("runs") / "mine", **FEW)


def test_a_run_says_what_happened(run: mien.Run) -> None:
    assert [log.epoch for log in run.history] == [1, 2, 3]
    assert run.best in run.history
    assert run.config.epochs == 3
    assert "validation: loss" in str(run.best)


def test_a_run_is_measured_exported_and_used(run: mien.Run, tmp_path: Path) -> None:
    test = made_faces(40)
    before = mien.evaluate(run, test)
    exported = mien.export(run, tmp_path, name="own", test=test)
    after = mien.evaluate(exported.path, test)
    assert np.allclose(before.probabilities, after.probabilities, atol=1e-4)
    assert (before.temperature, before.threshold) == (after.temperature, after.threshold)
    assert exported.card.metric("accuracy") == after.metrics()[0]
    picture = np.repeat(test.images[0][:, :, None], 3, 2)
    boxes = [(0, 0, 48, 48)]
    faces = [mien.analyze(picture, model=m, boxes=boxes).faces[0] for m in (exported.path, run.model())]
    assert faces[0].top == faces[1].top


def test_the_options_of_the_network_go_wherever_the_run_goes(run: mien.Run, tmp_path: Path) -> None:
    assert not read_config(run.folder).attention
    assert "squeeze" not in (run.folder / "architecture.txt").read_text()
    exported = mien.export(run.folder, tmp_path, name="own", data=run.data)
    assert not exported.card.training["recipe"]["attention"]
    # The weights alone say what network they are of, so that fine-tuning makes the same one.
    again = mien.create_model("mien-tiny", ["sad", "happy"], start=exported.path)
    assert again.options == {"architecture": "mien-tiny", "attention": False, "standardise": False}


def test_a_network_of_one_size_only_sees_no_small_crops(data: mien.FaceDataset, tmp_path: Path) -> None:
    network = mien.create_model("r4", data.labels)
    for wrong in ({"small_fraction": 0.5}, {"config": mien.TrainingConfig(architecture="r4")}):
        with pytest.raises(mien.OptionError, match="small_fraction has to be 0 for r4"):
            mien.fit(network, data, tmp_path / "r4", **{**FEW, "epochs": 1}, **wrong)
        assert not (tmp_path / "r4").exists()
    run = mien.fit(network, data, tmp_path / "r4", **{**FEW, "epochs": 1})
    assert run.config.small_fraction == 0


def test_the_same_call_goes_on_and_another_one_is_refused(run: mien.Run, data: mien.FaceDataset) -> None:
    network = mien.create_model("mien-tiny", data.labels, attention=False)
    before = weights(run.folder)
    assert mien.fit(network, data, run.folder, **FEW).history == run.history
    assert all(torch.equal(before[name], tensor) for name, tensor in weights(run.folder).items())
    with pytest.raises(mien.TrainingError, match="other options"):
        mien.fit(mien.create_model("mien-tiny", data.labels), data, run.folder, **FEW)


def test_an_exported_run_goes_by_its_folder(run: mien.Run) -> None:
    mien.export(run)
    assert mien.load_model(str(run.folder)).card.name == "mine"
    assert mien.evaluate(run.folder, made_faces(20)).labels == ("happy", "sad")


def test_r2_takes_its_width_and_its_size() -> None:
    network = mien.create_model("r2", ["happy", "sad", "neutral"], width=0.35, input_size=64)
    assert network.options["width"] == 0.35
    assert sum(p.numel() for p in network.module().parameters()) < 500_000
    assert network.module()(torch.zeros(2, 1, 48, 48)).shape == (2, 3)
    assert "Linear" in network.summary()
    assert "0.35" in repr(network)


@pytest.mark.parametrize("name", ["mien-tiny", "mien-base", "mien-teacher"])
def test_attention_is_an_option_of_all_three_sizes(name: str) -> None:
    plain = mien.create_model(name, ["happy", "sad"], attention=False).module()
    assert not any("squeeze" in key for key in plain.state_dict())


def test_a_preset_gives_the_recipe_and_the_network_stays(data: mien.FaceDataset, tmp_path: Path) -> None:
    network = mien.create_model("mien-tiny", data.labels)
    run = mien.fit(network, data, tmp_path / "r", preset="r1", epochs=1)
    assert (run.config.architecture, run.config.optimizer, run.config.batch_size) == ("mien-tiny", "adam", 8)
    same = mien.fit(network, data, tmp_path / "r", config=run.config)
    assert same.history == run.history


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda data, at: mien.create_model("r9", data.labels), "unknown architecture 'r9'"),
        (lambda data, at: mien.create_model("mien-tiny", "happy"), "have to be names.*not 'happy'"),
        (lambda data, at: mien.create_model("mien-tiny", ["happy"]), "two or more different names"),
        (lambda data, at: mien.create_model("r1", data.labels, width=0.5), "width is no option of r1"),
        (lambda data, at: mien.create_model("r2", data.labels, input_size=50), "multiple of 32"),
        (lambda data, at: mien.create_model("r2", data.labels, epochs=5), "give what belongs to the recipe"),
        (lambda data, at: fit(data, at, width=0.5), "give it to create_model"),
        (lambda data, at: fit(data, at, epocs=5), "unknown option epocs"),
        (lambda data, at: fit(data, at, preset="r1", config=mien.TrainingConfig()), "not both"),
        (lambda data, at: fit(data, at, labels=("happy", "fear")), "no label fear"),
        (lambda data, at: mien.export(at), "give the faces"),
        (lambda data, at: mien.evaluate("no-such-model", data), "unknown model"),
        (lambda data, at: mien.load_dataset(None), "path has to be the path of a data set.*not None"),
        (lambda data, at: mien.load_dataset(""), "path has to be the path of a data set"),
        (lambda data, at: mien.load_dataset("faces", labels=5), "labels have to be names.*not 5"),
        (lambda data, at: mien.load_dataset("faces", side="48"), "side has to be between 8 and 1024"),
        (lambda data, at: mien.load_model(5), "model has to be a name.*not 5"),
        (lambda data, at: mien.create_model("r1", labels=5), "labels have to be names.*not 5"),
        (lambda data, at: mien.create_model("r1", labels=[1, 2]), "labels have to be names"),
        (lambda data, at: mien.create_model("r1", data.labels, start=5), "start has to be the name of"),
        (lambda data, at: mien.create_model("r2", data.labels, init="a", sha256=5), "sha256 has to be"),
        (
            lambda data, at: mien.create_model("r1", data.labels, start="mien-base"),
            "weights to start from are of mien-base, and the network is r1",
        ),
        (lambda data, at: mien.evaluate(None, data), "model has to be a model to measure.*not None"),
        (lambda data, at: mien.evaluate("mien-base", None), "data has to be faces.*not None"),
        (lambda data, at: mien.evaluate("mien-base", "faces"), "data has to be faces.*not 'faces'"),
        (lambda data, at: mien.fit("r1", data, at), "network has to be a network.*not 'r1'"),
        (lambda data, at: fit("faces/", at, ("happy", "sad")), "data has to be faces.*not 'faces/'"),
        (lambda data, at: fit(data, None), "folder has to be the folder of the run.*not None"),
        (lambda data, at: fit(data, at, config={}), "config has to be a mien.TrainingConfig.*dict"),
        (lambda data, at: fit(data, at, preset=[]), "unknown preset"),
        (lambda data, at: mien.export(object()), "run has to be a run of mien.fit.*type object"),
        (lambda data, at: mien.export(at, data="faces/"), "data has to be faces"),
        (lambda data, at: mien.export(at, data=data, test=at), "test has to be faces"),
        (lambda data, at: mien.export(at, 5, data=data), "output has to be the folder.*not 5"),
    ],
)
def test_wrong_use_says_why(call, why: str, data: mien.FaceDataset, tmp_path: Path) -> None:
    with pytest.raises(mien.MienError, match=why):
        call(data, tmp_path / "r")
    assert not (tmp_path / "r").exists()


def fit(data: mien.FaceDataset, folder: Path, labels: tuple[str, ...] | None = None, **options: object):
    return mien.fit(mien.create_model("mien-tiny", labels or data.labels), data, folder, **options)


def test_someones_own_network_takes_the_options_that_it_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_net.py").write_text(
        "import torch\n"
        "def make(labels, width=1.0):\n"
        "    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2304, int(8 * width)),"
        " torch.nn.Linear(int(8 * width), labels))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    wide = mien.create_model("own_net:make", ["happy", "sad"], width=2.0)
    assert wide.module()[1].out_features == 16
    with pytest.raises(mien.OptionError, match="cannot be made"):
        mien.create_model("own_net:make", ["happy", "sad"], attention=False)


def test_last_layers_learn_first(data: mien.FaceDataset, run: mien.Run, tmp_path: Path) -> None:
    network = mien.create_model("mien-tiny", ["sad", "mine"], start=run.folder)
    own = replace(data, labels=("mine", "sad"))
    begun = network.module().state_dict()
    options = {**FEW, "average": 0.0, "freeze_epochs": 2}
    held = mien.fit(network, own, tmp_path / "held", **{**options, "epochs": 2})
    after = weights(held.folder)
    assert held.config.freeze_epochs == 2
    for name, tensor in begun.items():
        same = torch.equal(tensor, after[f"network/{name}"])
        assert same != name.startswith("head."), name


def test_a_run_killed_before_all_layers_learn_ends_with_the_same_bits(
    data: mien.FaceDataset, run: mien.Run, tmp_path: Path
) -> None:
    network = mien.create_model("mien-tiny", data.labels, start=run.folder)
    options = {**FEW, "freeze_epochs": 1, "optimizer": "adamw", "learning_rate": 0.002}
    whole = mien.fit(network, data, tmp_path / "whole", **options)

    class StopError(Exception):
        pass

    def stop(epoch: int, step: int, steps: int) -> None:
        if (epoch, step) == (1, 2):
            raise StopError

    with pytest.raises(StopError):
        mien.fit(network, data, tmp_path / "parts", on_step=stop, **options)
    parts = mien.fit(network, data, tmp_path / "parts", **options)
    first, second = weights(whole.folder), weights(parts.folder)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_fresh_weights_are_never_held_still(data: mien.FaceDataset, tmp_path: Path) -> None:
    network = mien.create_model("mien-tiny", data.labels)
    run = mien.fit(network, data, tmp_path / "r", **{**FEW, "epochs": 1, "freeze_epochs": 1})
    assert not torch.equal(
        network.module().state_dict()["stem.0.weight"], weights(run.folder)["network/stem.0.weight"]
    )


def test_a_models_weights_come_along_when_it_is_added(
    run: mien.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mien.zoo import store

    exported = mien.export(run, tmp_path, name="own")
    card = json.loads((tmp_path / "own.json").read_text())
    assert card["safetensors_sha256"]
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "data"))
    entry = store.add_model(exported.path, tmp_path / "own.json")
    network = mien.create_model("mien-tiny", ["sad", "mine"], start="own")
    assert network.start.facts["model"] == "own"
    assert {check.name: check.problem for check in store.verify()}["own"] is None

    entry.twin_path.write_bytes(b"another")
    with pytest.raises(mien.DigestError, match="changed or damaged"):
        mien.create_model("mien-tiny", ["sad", "mine"], start="own")
    entry.twin_path.unlink()
    assert "missing" in {check.name: check.problem for check in store.verify()}["own"]
    with pytest.raises(mien.ModelError, match="no weights to fine-tune"):
        mien.create_model("mien-tiny", ["sad", "mine"], start="own")
