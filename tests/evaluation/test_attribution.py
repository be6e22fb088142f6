"""Grad-CAM against PyTorch's own slopes, and occlusion where the answer is known."""

from __future__ import annotations

import io
import warnings

import numpy as np
import pytest

from mien.evaluation.attribution import grad_cam, occlusion
from mien.testing import convolutional_onnx, fake_card, fake_model
from mien.zoo._graph import read_graph
from mien.zoo.parts import take_apart

PICTURE = np.random.default_rng(3).normal(size=(1, 1, 24, 24)).astype(np.float32)


def test_behind_a_mean_and_a_dense_layer_the_weights_are_those_of_the_layer() -> None:
    content = convolutional_onnx(fake_card(size=24))
    features = take_apart(content, PICTURE).features
    assert features is not None
    found = grad_cam(features)
    raw = bytes(read_graph(content).tensors["dense"].content)[-6 * 7 * 4 :]
    dense = np.frombuffer(raw, "<f4").reshape(6, 7)
    exact = np.maximum(np.tensordot(dense.T, features.values, axes=1), 0) / features.values[0].size
    assert (found.layer, found.channels) == ("maps", 6)
    assert np.abs(found.maps - exact).max() < 1e-4 * exact.max()


# The largest difference allowed, against the largest value of the map; the second network bends.
@pytest.mark.parametrize(("kind", "limit"), [("mean", 1e-3), ("dense", 5e-3)])
def test_the_maps_are_those_that_pytorch_gives(kind: str, limit: float) -> None:
    torch = pytest.importorskip("torch", reason="needs torch, of the train extra")
    nn = torch.nn
    torch.manual_seed(0)
    features = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 12, 3, 2), nn.ReLU())
    heads = {
        "mean": nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 7)),
        "dense": nn.Sequential(
            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(12 * 25, 32), nn.ReLU(), nn.Linear(32, 7)
        ),
    }
    network = nn.Sequential(features, heads[kind]).eval()
    picture = torch.from_numpy(PICTURE)
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(network, (picture,), content, dynamo=False, opset_version=17)

    maps = features(picture).detach().requires_grad_()
    exact = []
    for label in range(7):
        (slopes,) = torch.autograd.grad(heads[kind](maps)[0, label], maps)
        exact.append(torch.relu((slopes.mean((2, 3), keepdim=True) * maps).sum(1))[0].detach().numpy())
    taken = take_apart(content.getvalue(), PICTURE).features
    assert taken is not None
    found = grad_cam(taken).maps
    for one, other in zip(found, exact, strict=True):
        assert np.abs(one - other).max() <= limit * max(other.max(), 1e-6)


def test_covering_what_counts_costs_the_most() -> None:
    # The network looks at the brightness of one place: bright there is the second label.
    def logits(batch: np.ndarray) -> np.ndarray:
        bright = batch[:, 0, 30:36, 6:12].mean((1, 2))
        return np.stack([np.zeros_like(bright), 8 * bright - 4], axis=1)

    model = fake_model(("dark", "bright"), logits)
    crop = np.full((48, 48), 40, np.uint8)
    crop[30:36, 6:12] = 250
    found = occlusion(model, crop, 1)
    row, column = np.unravel_index(found.map.argmax(), found.map.shape)
    assert 24 <= row < 42
    assert column < 18
    assert found.patch == (12, 12)
    assert found.drops.shape == (13, 13)
    assert found.drops.max() > 0.9
    assert np.abs(found.map[:, 30:]).max() < 1e-9
    assert np.allclose(occlusion(model, crop, 0).map, -found.map)


def test_a_small_face_that_is_no_square_can_be_covered() -> None:
    crop = np.arange(15, dtype=np.uint8).reshape(5, 3)
    model = fake_model(("a", "b"), lambda batch: np.zeros((len(batch), 2)))
    model.session._input_shape = (1, 5, 3)  # type: ignore[attr-defined]
    assert occlusion(model, crop, 0).map.shape == (5, 3)
