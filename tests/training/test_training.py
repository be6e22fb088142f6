"""Training on made faces: it learns, resumes exactly, refuses what cannot work, exports what it learnt."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, of the train extra")

from mien.core.errors import DatasetError, OptionError, TrainingError  # noqa: E402
from mien.datasets import FaceDataset  # noqa: E402
from mien.training import loop  # noqa: E402
from mien.training.architectures import ARCHITECTURES, create_network  # noqa: E402
from mien.training.augment import augment, cut_mix, mix  # noqa: E402
from mien.training.checkpoints import load_checkpoint  # noqa: E402
from mien.training.config import ARCHITECTURE_NAMES, TrainingConfig  # noqa: E402
from mien.training.cost import count_multiply_adds, count_parameters  # noqa: E402
from mien.training.device import has_bf16  # noqa: E402
from mien.training.export import export  # noqa: E402
from mien.training.loop import train  # noqa: E402
from mien.training.losses import label_weights, soft_loss, soft_targets  # noqa: E402
from mien.training.schedules import EpochLog, learning_rate, patience_ended  # noqa: E402
from mien.zoo.registry import load_model  # noqa: E402

QUICK = TrainingConfig(
    epochs=4, batch_size=8, warmup_epochs=1, learning_rate=0.02, validation=0.2, average=0.5
)


def made_faces(count: int = 120, side: int = 48) -> FaceDataset:
    """Two labels that a network tells apart at once: bright below or bright above, with noise."""
    generator = np.random.default_rng(5)
    targets = np.arange(count) % 2
    pictures = generator.integers(0, 60, (count, side, side))
    pictures[targets == 0, side // 2 :] += 150
    pictures[targets == 1, : side // 2] += 150
    names = tuple(f"{i}.png" for i in range(count))
    return FaceDataset(
        pictures.astype(np.uint8), targets.astype(np.int64), ("happy", "sad"), names, source="made"
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    logs = train(made_faces(), folder, QUICK)
    assert logs[-1].validation_accuracy == 1.0
    return folder


def weights(folder: Path) -> dict[str, "torch.Tensor"]:
    return load_checkpoint(folder / "last.safetensors")[0]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_run_killed_in_the_middle_ends_with_the_same_bits(run: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    program = textwrap.dedent(f"""
        import os, signal, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from test_training import QUICK, made_faces
        from mien.training.loop import train
        def die(epoch, step, steps):
            if (epoch, step) == (1, 3):
                os.kill(os.getpid(), signal.SIGKILL)
        train(made_faces(), Path({str(folder)!r}), QUICK, on_step=die)
    """)
    killed = subprocess.run([sys.executable, "-c", program], env={**os.environ}, check=False, timeout=250)
    assert killed.returncode == -signal.SIGKILL
    logs = train(made_faces(), folder, QUICK)
    assert [log.epoch for log in logs] == [1, 2, 3, 4]
    whole, resumed = weights(run), weights(folder)
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_a_finished_run_is_not_trained_again(run: Path) -> None:
    before = (run / "last.safetensors").read_bytes()
    steps: list[int] = []
    assert len(train(made_faces(), run, QUICK, on_step=lambda *step: steps.append(1))) == 4
    assert not steps
    assert (run / "last.safetensors").read_bytes() == before


def test_a_folder_with_another_recipe_is_refused(run: Path) -> None:
    with pytest.raises(TrainingError, match="other options"):
        train(made_faces(), run, replace(QUICK, epochs=5))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"\x10\0\0\0\0\0\0\0{}"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.json").write_text(QUICK.to_json())
    (tmp_path / "last.safetensors").write_bytes(content)
    with pytest.raises(TrainingError, match="cannot be used"):
        train(made_faces(), tmp_path, QUICK)


def test_the_log_has_a_row_an_epoch(run: Path) -> None:
    lines = (run / "log.csv").read_text().splitlines()
    assert lines[0].startswith("epoch,train_loss,train_accuracy,validation_loss,validation_accuracy")
    assert len(lines) == 5


def test_training_stops_when_patience_ends(tmp_path: Path) -> None:
    # Perfect at the first epoch, so no later one can be better.
    config = TrainingConfig(
        epochs=9, batch_size=16, warmup_epochs=0, learning_rate=0.02, validation=0.2, average=0.0, patience=2
    )
    logs = train(made_faces(), tmp_path / "r", config)
    best = max(log.epoch for log in logs if log.best)
    assert len(logs) == min(best + 2, 9)


def test_a_loss_that_is_not_finite_stops_and_keeps_the_best(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = 0

    def diverging(*arguments: object) -> "torch.Tensor":
        nonlocal steps
        steps += 1
        return soft_loss(*arguments) * (float("nan") if steps > 15 else 1.0)

    monkeypatch.setattr(loop, "soft_loss", diverging)
    with pytest.raises(TrainingError, match="lower learning rate"):
        train(made_faces(), tmp_path / "r", QUICK)
    weights, state = load_checkpoint(tmp_path / "r" / "best.safetensors")
    assert state["log"]["epoch"] == 1
    assert all(torch.isfinite(tensor).all() for tensor in weights.values())


def test_too_few_faces_for_a_batch_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="less than one batch"):
        train(made_faces(20), tmp_path / "r", TrainingConfig(batch_size=64))


def test_the_exported_model_runs_and_carries_its_card(run: Path, tmp_path: Path) -> None:
    data = made_faces()
    exported = export(run, data, tmp_path, name="mine", test=data)
    assert exported.parity.holds
    model = load_model(str(exported.path))
    assert model.card == exported.card.__class__.read(tmp_path / "mine.json")
    assert model.card.labels == ("happy", "sad")
    assert model.card.metric("accuracy").value == 1.0
    assert model.card.confusion == ((60, 0), (0, 60))
    assert model.card.parameters == count_parameters(create_network("mien-base", 2))
    assert b".py" not in exported.path.read_bytes()  # no traces of whose files it was made with
    inside = json.loads(model.session.metadata["mien.card"])
    assert inside["sha256"] is None
    assert inside["labels"] == ["happy", "sad"]


def test_a_folder_that_is_no_run_cannot_be_exported(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="not a run"):
        export(tmp_path, made_faces(), tmp_path, name="mine")


def test_every_architecture_has_a_name_and_takes_any_number_of_labels() -> None:
    assert set(ARCHITECTURES) == set(ARCHITECTURE_NAMES)
    for name in ARCHITECTURE_NAMES:
        network = create_network(name, 5).eval()
        assert network(torch.zeros(3, 1, 48, 48)).shape == (3, 5)
    with pytest.raises(OptionError, match="unknown architecture"):
        create_network("resnet-9000", 7)


def test_multiply_adds_of_a_worked_example() -> None:
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, padding=1), torch.nn.Flatten(), torch.nn.Linear(4 * 6 * 6, 10)
    )
    assert count_multiply_adds(network, (1, 6, 6)) == 4 * 36 * 9 + 4 * 36 * 10


def test_the_rate_rises_then_falls_to_zero() -> None:
    config = TrainingConfig(epochs=10, warmup_epochs=2, learning_rate=0.1)
    rates = [learning_rate(config, epoch / 4) for epoch in range(41)]
    assert rates[0] < 0.001
    assert max(rates) == pytest.approx(0.1, rel=0.01)
    assert rates.index(max(rates)) == 8
    assert rates[-1] == pytest.approx(0.0, abs=1e-9)


def test_targets_mix_label_and_votes() -> None:
    data = made_faces(2)
    data = FaceDataset(
        data.images, data.targets, data.labels, data.names, np.array([[3, 1], [0, 0]], np.float32)
    )
    assert soft_targets(data, 0.4, 0.0).tolist() == pytest.approx(np.array([[0.9, 0.1], [0.0, 1.0]]))
    assert soft_targets(data, 0.0, 0.2)[1].tolist() == pytest.approx([0.1, 0.9])


def test_without_changes_a_face_stays_as_it_is() -> None:
    still = TrainingConfig(rotation=0, scale=0, shift=0, light=0, erase=0, flip=False)
    faces = torch.rand(4, 1, 48, 48)
    same = augment(faces, still, 48, torch.Generator().manual_seed(0))
    assert torch.allclose(faces, same, atol=1e-5)


def test_small_crops_are_parts_of_the_face_at_its_own_scale() -> None:
    still = TrainingConfig(rotation=0, scale=0, shift=0, light=0, erase=0, flip=False)
    ramp = torch.linspace(0, 1, 48).expand(8, 1, 48, 48)
    crops = augment(ramp, still, 40, torch.Generator().manual_seed(0))
    steps = crops.diff(dim=3)
    assert crops.shape == (8, 1, 40, 40)
    assert torch.allclose(steps, torch.full_like(steps, 1 / 47), atol=1e-4)
    assert crops[:, 0, 0, 0].unique().numel() > 1


def test_flips_happen_about_half_of_the_time() -> None:
    only_flip = TrainingConfig(rotation=0, scale=0, shift=0, light=0, erase=0, flip=True)
    ramp = torch.linspace(0, 1, 48).expand(400, 1, 48, 48)
    flipped = augment(ramp, only_flip, 48, torch.Generator().manual_seed(0))[:, 0, 0, 0] > 0.5
    assert 150 < flipped.sum() < 250


def test_changed_faces_stay_in_range_and_repeat_with_the_seed() -> None:
    strong = TrainingConfig(rotation=40, scale=0.4, shear=0.2, shift=0.2, light=0.8, erase=1)
    faces = torch.rand(16, 1, 48, 48)
    first = augment(faces, strong, 40, torch.Generator().manual_seed(7))
    assert first.min() >= 0
    assert first.max() <= 1
    assert torch.equal(first, augment(faces, strong, 40, torch.Generator().manual_seed(7)))


def test_mixing_keeps_targets_a_distribution() -> None:
    faces, targets = torch.rand(6, 1, 8, 8), torch.eye(6)
    mixed, blended = mix(faces, targets, 0.7, torch.tensor([1, 2, 3, 4, 5, 0]))
    assert mixed.shape == faces.shape
    assert torch.allclose(blended.sum(1), torch.ones(6))
    assert torch.allclose(blended.diag() >= 0.7 - 1e-6, torch.ones(6, dtype=torch.bool))


def test_cut_mix_keeps_targets_in_step_with_the_area() -> None:
    faces = torch.stack([torch.zeros(1, 20, 20), torch.ones(1, 20, 20)])
    mixed, blended = cut_mix(faces, torch.eye(2), 0.6, torch.tensor([1, 0]), torch.Generator().manual_seed(3))
    for number, face in enumerate(mixed):
        assert face.mean().item() == pytest.approx(blended[number, 1].item(), abs=1e-6)


def rates_of_plateaus(losses: list[float], **options: object) -> list[float]:
    config = TrainingConfig(schedule="plateau", warmup_epochs=0, learning_rate=1.0, epochs=99, **options)
    logs = [EpochLog(i + 1, 1.0, 0.5, loss, 0.5, 0.1, 1.0, False) for i, loss in enumerate(losses)]
    return [learning_rate(config, i, logs[:i]) for i in range(len(logs) + 1)]


def test_plateaus_lower_the_rate_down_to_the_floor() -> None:
    rates = rates_of_plateaus(
        [1.0, 0.9] + [0.9] * 8, plateau_factor=0.1, plateau_patience=2, plateau_floor=0.05
    )
    assert rates == pytest.approx([1, 1, 1, 1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.05])


def test_a_cooldown_puts_plateaus_apart() -> None:
    rates = rates_of_plateaus([1.0] * 8, plateau_factor=0.5, plateau_patience=2, plateau_cooldown=2)
    assert rates == pytest.approx([1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25])


def test_patience_counts_epochs_without_enough_gain() -> None:
    config = TrainingConfig(patience=2, min_delta=0.01)
    values = [0.50, 0.505, 0.52, 0.521, 0.525]
    logs = [EpochLog(i, 1.0, 0.5, 1.0, value, 0.1, 1.0, False) for i, value in enumerate(values)]
    assert [patience_ended(config, logs[:i]) for i in range(6)] == [False, False, False, False, False, True]
    by_loss = TrainingConfig(patience=2, monitor="loss")
    assert patience_ended(by_loss, logs[:3])


@pytest.mark.parametrize(
    "options",
    [
        {"optimizer": "adam", "learning_rate": 0.003, "schedule": "plateau", "monitor": "loss"},
        {"optimizer": "adamw", "learning_rate": 0.003, "schedule": "one-cycle", "clip": 1.0},
        {"loss": "focal", "class_weights": True, "sampling": "balanced", "schedule": "constant"},
        {"mixup": 0.5, "cutmix": 0.5, "label_smoothing": 0.1, "bf16": False},
        {"optimizer": "muon", "learning_rate": 0.003, "sharpness": 0.05, "logit_adjustment": 1.0},
        {"gamma": 2.0, "blur": 0.5, "low_resolution": 0.5, "noise": 0.5, "calm_fraction": 0.5},
    ],
    ids=["adam", "adamw", "focal", "mixed", "muon", "damaged"],
)
def test_every_way_to_train_resumes_with_the_same_bits(tmp_path: Path, options: dict[str, object]) -> None:
    config = replace(QUICK, epochs=2, batch_size=16, **options)

    class StopHereError(Exception):
        pass

    def stop(epoch: int, step: int, steps: int) -> None:
        if epoch == 1:
            raise StopHereError

    train(made_faces(), tmp_path / "whole", config)
    with pytest.raises(StopHereError):
        train(made_faces(), tmp_path / "cut", config, on_step=stop)
    train(made_faces(), tmp_path / "cut", config)
    whole, resumed = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_the_focal_loss_favours_hard_faces_and_weights_rare_labels() -> None:
    logits, targets = torch.tensor([[4.0, 0.0], [0.0, 4.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    plain = [soft_loss(logits[i : i + 1], targets[i : i + 1], TrainingConfig(), None) for i in (0, 1)]
    focal = [
        soft_loss(logits[i : i + 1], targets[i : i + 1], TrainingConfig(loss="focal"), None) for i in (0, 1)
    ]
    assert focal[1] / focal[0] > 100 * plain[1] / plain[0]
    weighted = soft_loss(logits[:1], targets[:1], TrainingConfig(), torch.tensor([3.0, 1.0]))
    assert weighted.item() == pytest.approx(3 * plain[0].item())


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_the_focal_loss_has_a_gradient_where_a_face_is_certain(gamma: float) -> None:
    logits = torch.tensor([[200.0, 0.0], [0.0, 200.0], [0.3, 0.0]], requires_grad=True)
    targets = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    soft_loss(logits, targets, TrainingConfig(loss="focal", focal_gamma=gamma), None).backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert logits.grad[0].abs().max() < 1e-6
    assert logits.grad[1, 0] < 0


def test_a_torch_without_onednn_computes_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> bool:
        raise AttributeError("'_OpNamespace' 'mkldnn' object has no attribute '_is_mkldnn_bf16_supported'")

    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", unknown)
    assert not has_bf16(torch.device("cpu"))


def test_label_weights_even_out_the_labels() -> None:
    data = made_faces(40).subset(np.r_[np.arange(0, 40, 2), np.arange(1, 11, 2)])
    weights_of_labels = label_weights(data.targets, data.labels)
    assert (weights_of_labels * [20, 5]).tolist() == pytest.approx([12.5, 12.5])


def test_a_run_is_a_folder_with_everything_about_it(run: Path) -> None:
    facts = json.loads((run / "run.json").read_text())
    assert facts["labels"] == ["happy", "sad"]
    assert facts["faces"] + facts["validation_faces"] == 120
    assert TrainingConfig.from_dict(json.loads((run / "config.json").read_text())) == QUICK
    assert "SqueezeExcite" not in (run / "architecture.txt").read_text().splitlines()[0]
    assert (
        f"{count_parameters(create_network('mien-base', 2)):,} trained"
        in (run / "architecture.txt").read_text()
    )


def test_tensorboard_reads_the_curves_and_the_weights(run: Path) -> None:
    pytest.importorskip("tensorboard", reason="needs tensorboard, of the train extra")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run / "tensorboard"), size_guidance={"histograms": 0})
    events.Reload()
    assert [event.step for event in events.Scalars("accuracy/validation")] == [1, 2, 3, 4]
    assert "head.weight" in events.Tags()["histograms"]


def test_a_run_on_other_faces_is_refused(run: Path) -> None:
    with pytest.raises(TrainingError, match="other faces"):
        train(made_faces(112), run, QUICK)


def test_labels_of_the_run_choose_the_faces_of_its_export(run: Path, tmp_path: Path) -> None:
    data = made_faces()
    more = FaceDataset(data.images, data.targets, (*data.labels, "angry"), data.names, source="made")
    assert export(run, more, tmp_path, name="mine").card.labels == ("happy", "sad")
    with pytest.raises(DatasetError, match="no label"):
        export(run, replace(data, labels=("happy", "angry")), tmp_path, name="mine")


def test_a_run_is_not_exported_with_other_faces(run: Path, tmp_path: Path) -> None:
    data = made_faces()
    with pytest.raises(TrainingError, match="other faces"):
        export(run, replace(data, images=255 - data.images), tmp_path, name="mine")


def test_the_int8_twin_is_smaller_and_says_what_it_costs(run: Path, tmp_path: Path) -> None:
    data = made_faces()
    exported = export(run, data, tmp_path, name="mine", test=data, int8=True)
    assert exported.int8 is not None
    small = load_model(str(tmp_path / "mine-int8.onnx"))
    assert (small.card.name, small.card.precision) == ("mine-int8", "int8")
    assert small.card.metric("accuracy").value == 1.0
    assert exported.int8.path.stat().st_size < 0.5 * exported.path.stat().st_size
    assert exported.int8.parity.largest_difference > 0
    figures = small.card.training["quantised"]
    for name, card in (("test_accuracy", small.card), ("fp32_test_accuracy", exported.card)):
        metric = card.metric("accuracy")
        assert metric is not None
        assert figures[name] == pytest.approx(metric.value, abs=1e-4)
    assert figures["fp32_validation_accuracy"] == exported.card.training["validation_accuracy"]
    assert "quantised" not in exported.card.training
