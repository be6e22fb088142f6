"""A network learns from others, on the same views, and from those alone that never saw a face."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, of the train extra")

from safetensors.torch import load_file  # noqa: E402
from small_faces import RECIPE, small_faces  # noqa: E402
from torch import Tensor  # noqa: E402

import mien  # noqa: E402
from mien.core.errors import OptionError, TrainingError  # noqa: E402
from mien.training.batches import Batches, normalise, to_units  # noqa: E402
from mien.training.crossval import crossval  # noqa: E402
from mien.training.loop import train  # noqa: E402
from mien.training.losses import distil_loss  # noqa: E402
from mien.training.split import split_data  # noqa: E402
from mien.training.start import read_start  # noqa: E402
from mien.training.teachers import read_teachers  # noqa: E402

FACES = small_faces(200)
STILL = replace(RECIPE, rotation=0, scale=0, shift=0, light=0, erase=0, flip=False)
# What its teachers alone say, for as long as it takes a small network to say the same.
PUPIL = replace(STILL, epochs=30, distil_weight=1.0, distil_temperature=2.0, seed=4)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teacher") / "run"
    train(FACES, folder, replace(STILL, epochs=10))
    return folder


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("folds") / "crossval"
    crossval(FACES, folder, replace(STILL, epochs=2), 3)
    return folder


def logits(folder: Path) -> Tensor:
    found = load_file(folder / "best.safetensors")
    images = normalise(to_units(FACES.images))
    pooled = torch.nn.functional.adaptive_avg_pool2d(images, 4).flatten(1)
    return pooled @ found["layers.2.weight"].T + found["layers.2.bias"]


def test_a_pupil_without_labels_says_what_its_teacher_says(teacher: Path, tmp_path: Path) -> None:
    wrong = replace(FACES, targets=1 - FACES.targets)  # its labels say the opposite
    teachers = read_teachers([teacher], wrong, PUPIL)
    # The validation faces are labelled wrongly too, so the best epoch is chosen by loss on none of them.
    train(wrong, tmp_path / "taught", replace(PUPIL, patience=30, monitor="loss"), teachers=teachers)
    last = load_file(tmp_path / "taught" / "last.safetensors")
    own = load_file(teacher / "best.safetensors")
    direction = torch.nn.functional.cosine_similarity
    taught = last["average/layers.2.weight"].diff(dim=0)
    assert direction(taught, own["layers.2.weight"].diff(dim=0)).item() > 0.9
    train(wrong, tmp_path / "alone", replace(PUPIL, patience=30))
    alone = load_file(tmp_path / "alone" / "last.safetensors")["average/layers.2.weight"].diff(dim=0)
    assert direction(alone, own["layers.2.weight"].diff(dim=0)).item() < 0


def test_the_weight_says_how_much_the_label_counts(teacher: Path, tmp_path: Path) -> None:
    config = replace(PUPIL, epochs=1, distil_weight=0.0)
    teachers = read_teachers([teacher], FACES, config)
    train(FACES, tmp_path / "with", config, teachers=teachers)
    train(FACES, tmp_path / "without", config)
    with_, without = (load_file(tmp_path / name / "best.safetensors") for name in ("with", "without"))
    assert all(torch.equal(with_[name], without[name]) for name in without)


def test_labels_are_told_apart_by_name_not_by_place(teacher: Path) -> None:
    turned = FACES.with_labels(("sad", "happy"))
    images, faces = normalise(to_units(FACES.images)), np.arange(len(FACES))
    straight = read_teachers([teacher], FACES, PUPIL).probabilities(images, faces, 1.0)
    other = read_teachers([teacher], turned, PUPIL).probabilities(images, faces, 1.0)
    assert torch.allclose(straight, other.flip(1))
    assert torch.allclose(straight, torch.softmax(logits(teacher), 1), atol=1e-5)


def test_several_teachers_are_averaged_at_one_temperature(teacher: Path, fitted: Path) -> None:
    images, faces = normalise(to_units(FACES.images)), np.arange(len(FACES))
    one, other = fitted / "fold-1", fitted / "fold-2"
    both = read_teachers([teacher, one, other], FACES, PUPIL).probabilities(images, faces, 3.0)
    mean = torch.stack([torch.softmax(logits(place) / 3, 1) for place in (teacher, one, other)]).mean(0)
    assert torch.allclose(both, mean, atol=1e-5)


def test_of_a_cross_validation_the_network_speaks_that_never_saw_the_face(fitted: Path) -> None:
    teachers = read_teachers([fitted], FACES, PUPIL)
    said = teachers.probabilities(normalise(to_units(FACES.images)), np.arange(len(FACES)), 1.0)
    each = [torch.softmax(logits(fitted / f"fold-{fold}"), 1) for fold in (1, 2, 3)]
    away = torch.stack([(said - own).abs().amax(1) for own in each])
    spoke = away.argmin(0).numpy() + 1
    assert away.amin(0).max() < 1e-5
    # Those are the faces that its run was not given: the digest of what it was given says so.
    for fold in (1, 2, 3):
        given = split_data(FACES.subset(spoke != fold), replace(STILL, epochs=2))
        assert given.digest() == json.loads((fitted / f"fold-{fold}" / "run.json").read_text())["data_digest"]


def test_faces_kept_apart_are_no_part_of_the_folds(fitted: Path) -> None:
    more = small_faces(230)
    apart = np.zeros(len(FACES) + 30, bool)
    apart[::7][:30] = True
    order = np.empty(len(apart), np.int64)
    order[~apart], order[apart] = np.arange(len(FACES)), np.arange(len(FACES), len(apart))
    images = np.concatenate([FACES.images, more.images[200:]])[order]
    targets = np.concatenate([FACES.targets, more.targets[200:]])[order]
    names = tuple(f"{number}.png" for number in order)
    data = replace(FACES, images=images, targets=targets, names=names, apart=apart)
    teachers = read_teachers([fitted], data, PUPIL)
    said = teachers.probabilities(normalise(to_units(images[~apart])), np.flatnonzero(~apart), 1.0)
    alone = read_teachers([fitted], FACES, PUPIL)
    same = alone.probabilities(normalise(to_units(FACES.images)), np.arange(len(FACES)), 1.0)
    assert torch.allclose(said, same)


def test_blends_are_of_faces_that_one_network_has_not_seen(fitted: Path) -> None:
    groups = read_teachers([fitted], FACES, PUPIL).groups
    assert groups is not None
    # Every face has its group's number as its grey level, so a blend of two groups would be in between.
    flat = replace(FACES, images=np.repeat(groups, 256).reshape(-1, 16, 16).astype(np.uint8))
    recipe = replace(STILL, batch_size=64, mixup=0.5, cutmix=0.5)
    batches = Batches(split_data(FACES, recipe), recipe, groups=groups)
    batches = Batches(replace(split_data(FACES, recipe), data=flat), recipe, groups=groups)
    moved = 0
    for epoch in range(3):
        for (part,) in batches.epoch(epoch):
            levels = (part.images * 255).round(decimals=3)
            assert torch.equal(levels.amax((1, 2, 3)), levels.amin((1, 2, 3)))
            assert levels[:, 0, 0, 0].tolist() == groups[part.faces].tolist()
            moved += int((part.targets.amax(1) < 1).sum())
    assert moved > 0


def test_a_taught_run_resumes_with_the_same_bits_and_refuses_other_teachers(
    teacher: Path, fitted: Path, tmp_path: Path
) -> None:
    config = replace(RECIPE, epochs=2, mixup=0.5)

    class StopHereError(Exception):
        pass

    def stop(epoch: int, step: int, steps: int) -> None:
        if epoch == 1:
            raise StopHereError

    train(FACES, tmp_path / "whole", config, teachers=read_teachers([teacher, fitted], FACES, config))
    with pytest.raises(StopHereError):
        train(
            FACES,
            tmp_path / "cut",
            config,
            on_step=stop,
            teachers=read_teachers([teacher, fitted], FACES, config),
        )
    for others in ([teacher], []):
        chosen = read_teachers(others, FACES, config) if others else None
        with pytest.raises(TrainingError, match="other teachers"):
            train(FACES, tmp_path / "cut", config, teachers=chosen)
    train(FACES, tmp_path / "cut", config, teachers=read_teachers([teacher, fitted], FACES, config))
    whole, cut = (load_file(tmp_path / name / "last.safetensors") for name in ("whole", "cut"))
    assert all(torch.equal(whole[name], cut[name]) for name in whole)


def test_a_cross_validation_of_other_faces_cannot_teach(fitted: Path) -> None:
    with pytest.raises(TrainingError, match="of other faces"):
        read_teachers([fitted], FACES.subset(np.arange(150)), PUPIL)


def test_a_teacher_has_to_know_the_labels(teacher: Path) -> None:
    others = replace(FACES, labels=("happy", "fear"))
    with pytest.raises(TrainingError, match="does not know fear, which the student is to learn"):
        read_teachers([teacher], others, PUPIL)


def test_a_teacher_named_twice_is_refused(teacher: Path) -> None:
    with pytest.raises(OptionError, match="named twice"):
        read_teachers([teacher, teacher], FACES, PUPIL)


def test_code_that_only_a_teacher_names_is_not_run(teacher: Path) -> None:
    with pytest.raises(OptionError, match="whose code would run"):
        read_teachers([teacher], FACES, replace(PUPIL, architecture="mien-tiny"))


def test_a_place_without_a_network_says_so(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="neither a run"):
        read_teachers([tmp_path / "nothing"], FACES, PUPIL)


def test_weights_without_their_network_cannot_teach(teacher: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.safetensors"
    alone.write_bytes((teacher / "best.safetensors").read_bytes())
    assert not read_start(alone).network
    with pytest.raises(TrainingError, match="do not say what their network and labels are"):
        read_teachers([alone], FACES, PUPIL)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_the_loss_is_least_where_the_pupil_agrees_and_keeps_its_slope(temperature: float) -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5]])
    taught = torch.softmax(logits / temperature, 1)
    assert distil_loss(logits, taught, temperature).item() == pytest.approx(0, abs=1e-6)
    away = (logits + torch.tensor([[0.01, 0, -0.01]])).requires_grad_()
    loss = distil_loss(away, taught, temperature)
    assert loss.item() > 0
    # At a high temperature the square keeps the slope from vanishing with it.
    loss.backward()
    assert away.grad is not None
    assert away.grad.abs().max() > 5e-4


def test_python_takes_teachers_too(teacher: Path, tmp_path: Path) -> None:
    network = mien.create_model("small_faces:Small", FACES.labels)
    run = mien.fit(network, FACES, tmp_path / "run", config=replace(PUPIL, epochs=1), teachers=[teacher])
    assert json.loads((run.folder / "run.json").read_text())["teachers"][0]["sha256"]
    with pytest.raises(OptionError, match="has to be a list"):
        mien.fit(network, FACES, tmp_path / "other", teachers=str(teacher))
