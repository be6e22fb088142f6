"""Training faces that are damaged, and changes that weaken towards the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch", reason="needs torch, of the train extra")

from small_faces import RECIPE, small_faces  # noqa: E402
from torch import Tensor  # noqa: E402

from mien.training.augment import augment  # noqa: E402
from mien.training.batches import Batches  # noqa: E402
from mien.training.config import TrainingConfig  # noqa: E402
from mien.training.split import split_data  # noqa: E402

STILL = TrainingConfig(rotation=0, scale=0, shift=0, light=0, erase=0, flip=False)


def changed(faces: Tensor, **options: float) -> Tensor:
    return augment(faces, replace(STILL, **options), 48, torch.Generator().manual_seed(5))


def stripes() -> Tensor:
    """Faces of the finest pattern there is, between a quarter and three quarters of white."""
    pattern = 0.25 + 0.5 * ((torch.arange(48).view(-1, 1) + torch.arange(48)) % 2)
    return pattern.float().expand(200, 1, 48, 48).clone()


@pytest.mark.parametrize("option", ["blur", "noise"])
def test_the_share_of_damaged_faces_is_the_one_that_is_asked_for(option: str) -> None:
    faces = stripes()
    touched = (changed(faces, **{option: 0.3}) - faces).abs().amax((1, 2, 3)) > 1e-3
    assert 0.2 < touched.float().mean() < 0.4


def test_blur_takes_detail_away_and_keeps_the_brightness() -> None:
    faces = stripes()
    blurred = changed(faces, blur=1)
    assert blurred.std((1, 2, 3)).mean() < 0.6 * faces.std((1, 2, 3)).mean()
    assert torch.allclose(blurred.mean((1, 2, 3)), faces.mean((1, 2, 3)), atol=0.01)
    even = torch.full((4, 1, 48, 48), 0.6)
    assert torch.allclose(changed(even, blur=1), even, atol=1e-5)  # nothing comes in over the edges


def test_half_the_faces_of_a_coarse_batch_lose_detail() -> None:
    faces = stripes()
    coarse = (changed(faces, low_resolution=1) - faces).abs().amax((1, 2, 3)) > 1e-3
    assert 0.4 < coarse.float().mean() < 0.6


def test_noise_differs_in_strength_from_face_to_face_and_stays_in_range() -> None:
    noisy = changed(torch.full((200, 1, 48, 48), 0.5), noise=1)
    spread = noisy.std((1, 2, 3))
    assert spread.max() < 0.11
    assert spread.max() > 2 * spread.min()
    extreme = changed(torch.ones(8, 1, 48, 48), noise=1)
    assert extreme.max() <= 1
    assert extreme.min() >= 0


def test_gamma_makes_faces_darker_and_brighter_within_its_range() -> None:
    faces = torch.full((400, 1, 48, 48), 0.5)
    levels = changed(faces, gamma=2)[:, 0, 0, 0]
    assert 0.25 - 1e-4 <= levels.min() < 0.28
    assert 0.67 < levels.max() <= 0.5**0.5 + 1e-4
    assert 0.4 < (levels < 0.5).float().mean() < 0.6


def test_changes_weaken_over_the_last_part_of_the_epochs() -> None:
    def turned(epoch: int) -> float:
        recipe = replace(RECIPE, epochs=10, rotation=90.0, scale=0, shift=0, light=0, erase=0, flip=False)
        recipe = replace(recipe, calm_fraction=0.5, calm_strength=0.0)
        data = small_faces(200)
        still = Batches(split_data(data, replace(recipe, rotation=0.0)), replace(recipe, rotation=0.0))
        moving = Batches(split_data(data, recipe), recipe)
        pairs = zip(still.epoch(epoch), moving.epoch(epoch), strict=True)
        return sum(float((a[0][0] - b[0][0]).abs().mean()) for a, b in pairs)

    strengths = [turned(epoch) for epoch in (0, 7, 8, 9)]
    assert strengths[0] > 1.2 * strengths[1] > 1.2 * strengths[2]
    assert strengths[3] == 0


def test_damage_does_not_weaken() -> None:
    recipe = replace(RECIPE, epochs=4, noise=1.0, calm_fraction=1.0, calm_strength=0.0)
    recipe = replace(recipe, rotation=0, scale=0, shift=0, light=0, erase=0, flip=False)
    data = small_faces()
    (images, *_), *_ = next(Batches(split_data(data, recipe), recipe).epoch(3))
    clean = Batches(split_data(data, recipe), replace(recipe, noise=0.0))
    (as_they_were, *_), *_ = next(clean.epoch(3))
    assert not torch.allclose(images, as_they_were, atol=0.01)
