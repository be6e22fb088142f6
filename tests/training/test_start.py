"""Fine-tuning: from the weights of an earlier run."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, of the train extra")

from test_training import QUICK, made_faces  # noqa: E402

from mien.core.errors import OptionError, TrainingError  # noqa: E402
from mien.datasets import load_dataset  # noqa: E402
from mien.pipeline.classify import to_batch  # noqa: E402
from mien.training.architectures import create_network  # noqa: E402
from mien.training.loop import train  # noqa: E402
from mien.training.run_folder import read_facts  # noqa: E402
from mien.training.start import put_weights, read_start  # noqa: E402
from mien.zoo.registry import load_model  # noqa: E402

FIRST = replace(QUICK, epochs=1)
STILL = replace(QUICK, epochs=1, learning_rate=1e-9, warmup_epochs=0, seed=3)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("start") / "first"
    train(made_faces(), folder, FIRST)
    return folder


def test_a_run_goes_on_from_the_best_weights_of_another(first: Path, tmp_path: Path) -> None:
    start = read_start(first)
    train(made_faces(), tmp_path / "second", STILL, start=start)
    moved = read_start(tmp_path / "second").weights
    trained = {name: t for name, t in start.weights.items() if "running" not in name}
    assert all(torch.allclose(moved[name], tensor, atol=1e-5) for name, tensor in trained.items())
    facts = read_facts(tmp_path / "second")["start"]
    assert facts["epoch"] == 1
    assert facts["recipe"]["learning_rate"] == FIRST.learning_rate


def test_the_file_alone_serves_too(first: Path) -> None:
    assert read_start(first / "best.safetensors").weights.keys() == read_start(first).weights.keys()


def test_a_head_for_other_labels_stays_fresh(first: Path) -> None:
    network = create_network("mien-base", 5)
    assert put_weights(network, read_start(first)) == ("head.weight", "head.bias")
    stem = network.state_dict()["stem.0.weight"]
    assert torch.equal(stem, read_start(first).weights["stem.0.weight"])


def test_the_rows_of_shared_labels_are_taken_over(first: Path) -> None:
    start = read_start(first)
    network = create_network("mien-base", 2)
    fresh = network.state_dict()["head.weight"].clone()
    put_weights(network, start, ("sad", "tired"))
    rows = network.state_dict()["head.weight"]
    assert torch.equal(rows[0], start.weights["head.weight"][start.labels.index("sad")])
    assert torch.equal(rows[1], fresh[1])


def test_the_packaged_model_is_fine_tuned_by_its_name() -> None:
    start = read_start("mien-base")
    model = load_model("mien-base", threads=1, device="cpu")
    network = create_network("mien-base", 7).eval()
    assert put_weights(network, start, model.card.labels) == ()
    generator = np.random.default_rng(3)
    smooth = [
        cv2.GaussianBlur(face, (0, 0), 3) for face in generator.integers(0, 256, (256, 48, 48)).astype("f4")
    ]
    faces = np.concatenate([np.stack(smooth), generator.integers(0, 256, (256, 48, 48))])
    batch = to_batch(faces.clip(0, 255).astype(np.uint8), model.card)
    with torch.no_grad():
        own = network(torch.from_numpy(batch)).numpy()
    theirs = np.concatenate([model.session.run(part) for part in np.split(batch, 8)])
    assert np.abs(own - theirs).max() < 1e-4
    assert (own.argmax(1) == theirs.argmax(1)).all()


def test_real_faces_are_read_alike(shared: Path) -> None:
    model = load_model("mien-base", threads=1, device="cpu")
    data = load_dataset(shared / "fer2013" / "train")
    data = data.subset(np.random.default_rng(1).permutation(len(data))[:256])
    network = create_network("mien-base", 7)
    put_weights(network, read_start("mien-base"), model.card.labels)
    batch = to_batch(data.images, model.card)
    theirs = np.concatenate([model.session.run(part) for part in np.split(batch, 4)])
    with torch.no_grad():
        own = network.eval()(torch.from_numpy(batch)).numpy()
        assert np.abs(own - theirs).max() < 1e-4
        # In training batches bring their own statistics; the network has to go on from where it is.
        network.train()
        network.dropout.eval()
        moved = torch.cat([network(part) for part in torch.from_numpy(batch).split(128)]).argmax(1).numpy()
    accuracies = [(top == data.targets).mean() for top in (theirs.argmax(1), moved)]
    assert abs(accuracies[0] - accuracies[1]) < 0.06


def test_weights_of_another_network_are_refused(first: Path) -> None:
    with pytest.raises(TrainingError, match="of mien-base, and the network is r1"):
        put_weights(create_network("r1", 2), read_start(first), name="r1")


def test_a_folder_with_a_run_from_another_start_is_refused(first: Path, tmp_path: Path) -> None:
    folder = tmp_path / "second"
    train(made_faces(), folder, STILL)
    with pytest.raises(TrainingError, match="another start"):
        train(made_faces(), folder, STILL, start=read_start(first))


def test_what_is_no_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="neither a run"):
        read_start(tmp_path)
    (tmp_path / "x.safetensors").write_bytes(b"no")
    with pytest.raises(TrainingError, match="cannot be used"):
        read_start(tmp_path / "x.safetensors")
