"""Muon, sharpness-aware steps and logit adjustment do what their papers say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, of the train extra")

from torch import nn  # noqa: E402

from mien.training.architectures import create_network  # noqa: E402
from mien.training.architectures._blocks import Standardise  # noqa: E402
from mien.training.config import TrainingConfig  # noqa: E402
from mien.training.export import to_onnx  # noqa: E402
from mien.training.losses import label_priors, soft_loss  # noqa: E402
from mien.training.muon import muon, orthogonal  # noqa: E402
from mien.training.optimizers import create_optimizer, set_rate  # noqa: E402
from mien.training.sharpness import climbed  # noqa: E402


@pytest.mark.parametrize("shape", [(20, 60), (60, 20), (30, 30)])
def test_muons_moves_are_equally_long_in_all_directions(shape: tuple[int, int]) -> None:
    torch.manual_seed(1)
    # Singular values over two orders of magnitude become nearly one.
    rows, columns = shape
    basis, _ = torch.linalg.qr(torch.randn(rows, min(shape)))
    other, _ = torch.linalg.qr(torch.randn(columns, min(shape)))
    matrix = basis @ torch.diag(torch.logspace(0, -1.5, min(shape))) @ other.T
    values = torch.linalg.svdvals(orthogonal(matrix))
    assert values.min() > 0.5
    assert values.max() < 1.3
    # And the directions stay: the nearest orthogonal matrix is that of the two bases.
    assert (
        torch.nn.functional.cosine_similarity(orthogonal(matrix).flatten(), (basis @ other.T).flatten(), 0)
        > 0.95
    )


def test_muon_turns_hidden_weights_and_adamw_moves_the_rest() -> None:
    config = TrainingConfig(optimizer="muon")
    network = create_network("mien-tiny", 7)
    optimizer = muon(network, config)
    names = {name for name, p in network.named_parameters() if optimizer.turns(p)}
    shapes = {name: p.shape for name, p in network.named_parameters()}
    assert names
    assert "head.weight" not in names
    assert not any(shapes[name][1] == 1 for name in names)  # the first layer and depthwise filters
    assert {p for group in optimizer.param_groups for p in group["params"]} == set(network.parameters())


def test_muons_step_has_the_length_of_one_of_adamw() -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.Conv2d(8, 32, 3, bias=False), nn.Flatten(), nn.Linear(32, 2)
    )
    config = TrainingConfig(optimizer="muon", weight_decay=0.0)
    optimizer = create_optimizer(network, config)
    set_rate(optimizer, 0.01)
    before = {name: p.detach().clone() for name, p in network.named_parameters()}
    torch.manual_seed(2)
    for parameter in network.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    moved = {name: (p - before[name]).square().mean().sqrt().item() for name, p in network.named_parameters()}
    assert moved["1.weight"] == pytest.approx(0.2 * 0.01, rel=0.25)  # root mean square, as in the paper
    assert moved["3.weight"] == pytest.approx(0.01, rel=0.05)  # AdamW's first step


def test_a_sharpness_aware_step_takes_its_gradient_uphill_and_comes_back() -> None:
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(18, 2))
    faces = torch.randn(8, 1, 5, 5)

    def loss() -> torch.Tensor:
        return nn.functional.cross_entropy(network(faces), torch.tensor([0, 1] * 4))

    first = loss()
    first.backward()
    gradients = [p.grad.clone() for p in network.parameters() if p.grad is not None]
    before = [p.detach().clone() for p in network.parameters()]
    running = network[1].running_mean.clone()
    with climbed(network, 0.1):
        moves = [p.detach() - old for p, old in zip(network.parameters(), before, strict=True)]
        assert torch.stack([move.norm() for move in moves]).norm().item() == pytest.approx(0.1, rel=1e-3)
        for move, gradient in zip(moves, gradients, strict=True):
            if gradient.norm() > 1e-4:
                assert nn.functional.cosine_similarity(move.flatten(), gradient.flatten(), 0) > 0.99
        assert loss() > first
    assert all(torch.equal(p, old) for p, old in zip(network.parameters(), before, strict=True))
    assert torch.equal(network[1].running_mean, running)
    loss()
    assert not torch.equal(network[1].running_mean, running)


def test_logit_adjustment_favours_rare_labels() -> None:
    targets = np.array([0] * 90 + [1] * 10)
    priors = label_priors(targets, ("often", "rarely"), 1.0)
    assert priors is not None
    assert priors.tolist() == pytest.approx([np.log(0.9), np.log(0.1)])
    assert label_priors(targets, ("often", "rarely"), 0.0) is None
    # A network that knows nothing but how common labels are has nothing to add to them.
    logits = torch.zeros(100, 2, requires_grad=True)
    soft = torch.eye(2)[torch.from_numpy(targets)]
    soft_loss(logits, soft, TrainingConfig(), None, torch.from_numpy(priors)).backward()
    assert logits.grad is not None
    assert logits.grad.sum(0).abs().max() < 1e-6


def test_muon_is_an_optimiser_that_a_recipe_names() -> None:
    assert replace(TrainingConfig(), optimizer="muon", learning_rate=0.003).optimizer == "muon"


def test_standardised_faces_are_the_same_in_a_model_file() -> None:
    ort = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript", reason="needs onnxscript, of the train extra")
    network = nn.Sequential(Standardise(), nn.Conv2d(1, 4, 3)).eval()
    content = to_onnx(network, (1, 16, 16))
    faces = torch.rand(5, 1, 16, 16) * 0.2 - 1  # dark and flat
    session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {session.get_inputs()[0].name: faces.numpy()})
    with torch.no_grad():
        assert np.abs(found - network(faces).numpy()).max() < 1e-5
