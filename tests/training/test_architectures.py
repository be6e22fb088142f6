"""The networks: published sizes, any number of labels, first weights, gradients, ONNX."""

import hashlib
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, of the train extra")

from torch import nn  # noqa: E402

from mien.core.errors import OptionError, TrainingError  # noqa: E402
from mien.training import batches  # noqa: E402
from mien.training.architectures import (  # noqa: E402
    ARCHITECTURES,
    create_network,
    input_side,
    mien_tiny,
    r2,
    takes_any_side,
)
from mien.training.config import ARCHITECTURE_NAMES, ONE_SIDE_ONLY, TrainingConfig  # noqa: E402
from mien.training.cost import Counts, count_multiply_adds, count_parameters, counts  # noqa: E402
from mien.zoo.session import OnnxSession  # noqa: E402

# At 224×224 its many convolutions only take time; that size is seen where it is counted.
SMALL = {"r2": {"input_size": 64}}
FACE = (1, 48, 48)


def small(name: str, labels: int = 7, seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return create_network(name, labels, **SMALL.get(name, {}))


def faces(count: int, side: int = 48) -> "torch.Tensor":
    return torch.randn(count, 1, side, side, generator=torch.Generator().manual_seed(3))


def test_the_names_that_help_shows_are_those_there_are() -> None:
    assert tuple(ARCHITECTURES) == ARCHITECTURE_NAMES


@pytest.mark.parametrize(
    ("name", "labels", "parameters", "trainable"),
    [
        ("r1", 7, 618_727, 617_063),
        # MobileNetV2's own count at ImageNet's 1,000 labels, as torchvision and as Keras state it.
        ("r2", 1000, 3_538_984, 3_504_872),
        ("r3", 7, 3_509_191, 3_509_191 - 2 * 2 * (64 + 128 + 256)),
        ("r4", 7, 1_470_951, 1_470_951 - 2 * 2 * (32 + 64 + 128) - 2 * 256),
        ("r5", 5, 883_173, 883_173 - 2 * (32 + 32 + 64 + 64 + 128 + 128) - 2 * 512),
    ],
)
def test_reference_networks_have_the_published_number_of_parameters(
    name: str, labels: int, parameters: int, trainable: int
) -> None:
    assert counts(create_network(name, labels)) == Counts(parameters, trainable)


def test_frozen_layers_are_not_trained() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Linear(4, 2))
    network[0].requires_grad_(False)
    assert counts(network) == Counts(40 + 16 + 10, 8 + 10)
    assert count_parameters(network) == 40 + 8 + 10


@pytest.mark.parametrize(
    ("name", "parameters", "multiply_adds"),
    [("mien-tiny", 0.4e6, 15e6), ("mien-base", 1.6e6, 131e6), ("mien-teacher", 3.4e6, 250e6)],
)
def test_miens_own_networks_keep_to_their_budget(name: str, parameters: float, multiply_adds: float) -> None:
    network = create_network(name, 7)
    assert counts(network).parameters <= parameters
    assert count_multiply_adds(network, FACE) <= multiply_adds


def test_mobilenet_costs_what_its_paper_says() -> None:
    assert count_multiply_adds(create_network("r2", 1000), (1, 48, 48)) == pytest.approx(300e6, rel=0.01)


def test_mien_base_still_reads_the_weights_it_was_trained_to() -> None:
    names = "\n".join(f"{name} {tuple(t.shape)}" for name, t in small("mien-base").state_dict().items())
    digest = hashlib.sha256(names.encode()).hexdigest()
    assert digest == "0f905df7623a0c9f7dd6d89de23f3bdec1f2cf85d931dc4413f5c219c32e424e"


@pytest.mark.parametrize("name", ["mien-tiny", "mien-base", "mien-teacher"])
def test_attention_is_an_option_that_renames_nothing(name: str) -> None:
    gated, plain = create_network(name, 7).state_dict(), create_network(name, 7, attention=False).state_dict()
    assert set(plain) < set(gated)
    assert all("squeeze" in key or "excite" in key for key in set(gated) - set(plain))


@pytest.mark.parametrize("name", ["mien-tiny", "mien-base", "mien-teacher"])
def test_standardised_faces_read_alike_in_any_light(name: str) -> None:
    torch.manual_seed(0)
    network = create_network(name, 7, standardise=True).eval()
    faces = torch.rand(3, 1, 48, 48) * 2 - 1
    darker = (faces + 2) / 2 - 2  # half the brightness, in the units of a network that reads black as -2
    with torch.no_grad():
        assert torch.allclose(network(faces), network(darker), atol=0.01)
        flat = network.standardise(torch.full((1, 1, 48, 48), 0.3) + 1e-4 * torch.rand(1, 1, 48, 48))
    assert flat.abs().max() < 0.01
    assert set(network.state_dict()) == set(create_network(name, 7).state_dict())


@pytest.mark.parametrize("name", ARCHITECTURE_NAMES)
@pytest.mark.parametrize("labels", [5, 7, 8])
def test_every_network_takes_any_number_of_labels(name: str, labels: int) -> None:
    logits = small(name, labels).eval()(faces(2))
    assert logits.shape == (2, labels)
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()


@pytest.mark.parametrize("name", ARCHITECTURE_NAMES)
def test_networks_that_take_any_side_do_and_the_others_say_so(name: str) -> None:
    network = small(name).eval()
    assert input_side(name) == 48
    assert takes_any_side(name) == (name not in ONE_SIDE_ONLY)
    if takes_any_side(name):
        assert network(faces(2, 40)).shape == (2, 7)
    else:
        with pytest.raises(TrainingError, match="48×48 pixels, not 40×40"):
            network(faces(2, 40))


def test_flat_networks_are_made_for_another_side_too() -> None:
    for name in ("r3", "r4", "r5"):
        assert create_network(name, 7, side=64).eval()(faces(1, 64)).shape == (1, 7)


@pytest.mark.parametrize("name", ARCHITECTURE_NAMES)
def test_first_weights_follow_the_seed(name: str) -> None:
    first, again, other = (small(name, seed=seed).state_dict() for seed in (1, 1, 2))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert any(not torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", ARCHITECTURE_NAMES)
def test_the_gradient_reaches_every_parameter(name: str) -> None:
    network = small(name).train()
    loss = nn.functional.cross_entropy(network(faces(8)), torch.arange(8) % 7)
    loss.backward()
    for key, parameter in network.named_parameters():
        assert parameter.grad is not None, key
        assert torch.isfinite(parameter.grad).all(), key
        # A bias before batch norm is taken away again: the references have such, nothing moves them.
        assert parameter.grad.any() or key.endswith("bias"), key


@pytest.mark.parametrize("name", ["r1", "r3", "r4", "r5"])
def test_references_start_and_normalise_as_keras_does(name: str) -> None:
    for module in small(name).modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            inner, outer = nn.init._calculate_fan_in_and_fan_out(module.weight)
            limit = (6 / (inner + outer)) ** 0.5
            assert 0.95 * limit < module.weight.abs().max() <= limit
            assert not module.bias.any()
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            assert (module.momentum, module.eps) == (0.01, 1e-3)


@pytest.mark.parametrize("name", ["r3", "r5"])
def test_the_place_of_the_activation_is_an_option(name: str) -> None:
    before = small(name)
    after = create_network(name, 7, activation_first=False)
    after.load_state_dict(before.state_dict())
    # Fresh running statistics are mean 0 and variance 1, which leave signs alone; a shift does not.
    for network in (before, after):
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.constant_(module.running_mean, 0.5)
        network.eval()
    assert not torch.allclose(before(faces(2)), after(faces(2)))
    first = {what: network.features[0](faces(2)).min() for what, network in (("b", before), ("a", after))}
    assert first["b"] < 0
    assert first["a"] == 0


@pytest.mark.parametrize("name", ["r3", "r4", "r5"])
def test_the_flattened_shape_is_the_one_that_is_told(name: str) -> None:
    network = small(name).eval()
    assert network.features(faces(1)).shape[1:] == network.flattened


# The exporter takes seconds a layer on a busy machine: r1, r3 and r5 have the layers of r4, and of the deep
# networks the first stages have every kind of layer. mien-base is exported with a whole run elsewhere.
@pytest.mark.parametrize("name", ["mien-tiny", "r2", "r4"])
def test_the_network_as_onnx_gives_the_same_logits(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(r2, "STAGES", r2.STAGES[:2])
    monkeypatch.setattr(mien_tiny, "STAGES", ((24, 1, 2), (48, 1, 3)))
    network = small(name).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.1, 0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            network,
            (faces(2),),
            dynamo=True,
            opset_version=18,
            dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
            verbose=False,
        )
    session = OnnxSession(program.model_proto.SerializeToString(), threads=1, device="cpu")
    with torch.no_grad():
        expected = network(faces(5)).numpy()
    np.testing.assert_allclose(session.run(faces(5).numpy()), expected, rtol=1e-3, atol=1e-4)


# MobileNetV2


def test_grey_and_the_same_grey_in_three_channels_are_one() -> None:
    network = small("r2").eval()
    grey = faces(2, 64)
    assert torch.allclose(network(grey), network(grey.expand(-1, 3, -1, -1)), atol=1e-6)


def test_values_reach_the_layers_as_imagenet_weights_want_them() -> None:
    assert (r2.FACE_MEAN, r2.FACE_STD) == (batches.MEAN, batches.STD)
    network = small("r2")
    pixel = batches.normalise(torch.full((1, 1, 1, 1), 0.3))
    seen = pixel * network.scale + network.offset
    expected = [(0.3 - m) / s for m, s in zip(r2.IMAGENET_MEAN, r2.IMAGENET_STD, strict=True)]
    assert seen.flatten().tolist() == pytest.approx(expected, abs=1e-6)
    assert not any(key in ("scale", "offset") for key in network.state_dict())


def test_width_makes_narrower_layers() -> None:
    # Keras states 410,208 parameters for alpha 0.35 without the last layer.
    narrow = create_network("r2", 1000, width=0.35)
    assert counts(narrow).parameters - 1_281_000 == 410_208
    assert narrow.features[18][0].out_channels == 1280


def test_torchvisions_names_and_shapes_are_taken_as_they_are() -> None:
    given = {k: torch.full_like(v, 0.5) for k, v in small("r2", 1000).state_dict().items()}
    assert {"features.0.0.weight", "features.1.conv.1.weight", "features.1.conv.2.running_var"} <= set(given)
    assert given["features.2.conv.1.0.weight"].shape == (96, 1, 3, 3)
    assert given["features.18.1.bias"].shape == (1280,)
    network = small("r2", 7)
    last = network.classifier[1].weight.clone()
    network.load_backbone(given)
    assert all((v == 0.5).all() for k, v in network.features.state_dict().items() if "num_batches" not in k)
    assert torch.equal(network.classifier[1].weight, last)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda state: state.pop("features.3.conv.2.weight"), "lack 'features.3.conv.2.weight'"),
        (lambda state: state.update({"layer1.weight": torch.zeros(1)}), "'layer1.weight' is none"),
        (lambda state: state.update({"features.0.0.weight": torch.zeros(16, 3, 3, 3)}), "another width"),
    ],
)
def test_weights_of_another_network_are_refused_by_name_and_change_nothing(change, says: str) -> None:  # type: ignore[no-untyped-def]
    network = small("r2")
    state = {key: torch.zeros_like(value) for key, value in network.state_dict().items()}
    change(state)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with pytest.raises(TrainingError, match=says):
        network.load_backbone(state)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_keras_pads_strided_convolutions_at_the_end() -> None:
    network = create_network("r2", 7, input_size=32, origin="keras").eval()
    stem = network.features[0][0]
    nn.init.zeros_(stem.weight)
    stem.weight.data[:, :, 0, 0] = 1.0  # picks the first pixel under the filter
    ramp = torch.arange(16.0).view(1, 1, 4, 4).expand(1, 3, 4, 4)
    assert stem(ramp)[0, 0].tolist() == [[0.0, 6.0], [24.0, 30.0]]
    odd = torch.ones(1, 3, 5, 5)
    assert stem(odd)[0, 0].tolist() == [[0, 0, 0], [0, 3, 3], [0, 3, 3]]
    assert network.features[0][1].eps == 1e-3


@pytest.mark.parametrize("options", [{"width": 0}, {"input_size": 50}, {"input_size": 0}, {"origin": "x"}])
def test_meaningless_options_of_mobilenet_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(OptionError, match=next(iter(options))):
        create_network("r2", 7, **options)


# Anyone's own


@pytest.fixture
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "own_networks.py").write_text(
        "from torch import nn\n"
        "class Linear(nn.Sequential):\n"
        "    input_side = 32\n"
        "    def __init__(self, labels, bias=True):\n"
        "        super().__init__(nn.Flatten(), nn.LazyLinear(labels, bias=bias))\n"
        "def wrong(labels):\n"
        "    return labels\n"
        "number = 3\n"
    )
    (tmp_path / "own_broken.py").write_text("1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield "own_networks"
    for name in ("own_networks", "own_broken"):
        sys.modules.pop(name, None)


def test_a_module_path_makes_anyones_network(own_module: str) -> None:
    path = f"{own_module}:Linear"
    assert TrainingConfig(architecture=path).architecture == path
    network = create_network(path, 3, bias=False)
    assert network(faces(2, 32)).shape == (2, 3)
    assert len(list(network.parameters())) == 1
    assert input_side(path) == 32
    assert not takes_any_side(path)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (
            "resnet-9000",
            "unknown architecture 'resnet-9000'; choose one of mien-base.*package.module:Factory",
        ),
        ("no_such_package:Net", "'no_such_package' cannot be imported .ModuleNotFoundError"),
        ("own_broken:Net", "'own_broken' cannot be imported .ZeroDivisionError"),
        ("own_networks:Missing", "has no class or function 'Missing'"),
        ("own_networks:number", "has no class or function 'number'"),
        ("own_networks:wrong", "made a int, not a torch.nn.Module"),
        ("own networks:Net", "write it as package.module:Factory"),
        ("../own:Net", "write it as package.module:Factory"),
    ],
)
def test_a_path_that_leads_nowhere_says_why(own_module: str, path: str, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        create_network(path, 7)


@pytest.mark.parametrize(
    "value", ["resnet-9000", "own networks:Net", ":Net", "a.b:", "a:b:c", "a:b\n", None, 3]
)
def test_a_configuration_refuses_what_is_neither_name_nor_path(value: object) -> None:
    with pytest.raises(
        OptionError, match=r"unknown architecture .*mien-base.* or write package.module:Factory"
    ):
        replace(TrainingConfig(), architecture=value)


def test_an_option_that_a_network_does_not_have_is_refused() -> None:
    with pytest.raises(OptionError, match=r"'r1' cannot be made with 7 labels.*width"):
        create_network("r1", 7, width=2)
