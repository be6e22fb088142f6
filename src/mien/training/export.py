"""From a run to a model: ONNX with its card inside, checked against PyTorch and calibrated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from mien.core.errors import OptionError, TrainingError
from mien.core.version import __version__
from mien.datasets import FaceDataset
from mien.evaluation import Evaluation, calibration, evaluate
from mien.evaluation.evaluate import reported
from mien.evaluation.predict import logits_of
from mien.pipeline.classify import softmax, to_batch
from mien.training._model_file import write_onnx
from mien.training._quiet import quiet
from mien.training.architectures import create_network
from mien.training.batches import MEAN, STD
from mien.training.checkpoints import checkpoint_bytes, parse_checkpoint, read_weights_file
from mien.training.config import TrainingConfig, network_of
from mien.training.cost import count_multiply_adds, count_parameters
from mien.training.quantize import quantise
from mien.training.run_folder import BEST, DIGESTS, check_labels, is_taken, read_facts, run_config
from mien.training.schedules import EpochLog
from mien.training.session import TorchSession
from mien.training.split import Split, split_data
from mien.zoo.card import Card, ModelInput
from mien.zoo.registry import Model
from mien.zoo.session import OnnxSession, Session

PARITY_LIMIT = 1e-4
QUANTISED = "quantised"
"""In an int8 card's `training`: its accuracies beside those in 32-bit floating point, on the same faces."""
_OPSET = 18
_BATCH = 128
_CALIBRATION_FACES = 512

_INTENDED_USE = (
    "Reading the facial expression shown in a photo or film, for research, education about the method, "
    "and applications whose subjects have consented."
)
_LIMITS = (
    "An expression is not an inner state: the scores say how people would label the face, not what the "
    "person feels. Faces unlike those that it was trained on, in age, origin, light or size, are read worse. "
    "Not for decisions about people. Inferring emotions at work and in education is prohibited in the "
    "European Union outside medical and safety uses (AI Act, Article 5(1)(f))."
)
_LICENCE = "not stated; the terms of the training pictures and of the first weights apply"


@dataclass(frozen=True, slots=True)
class Parity:
    """How closely the exported file follows PyTorch on the validation faces."""

    faces: int
    different_top: int
    largest_difference: float

    @property
    def holds(self) -> bool:
        """Whether every top label is equal and no probability differs by more than the limit."""
        return self.different_top == 0 and self.largest_difference <= PARITY_LIMIT


@dataclass(frozen=True, slots=True)
class Export:
    """The files that were written, the card, the parity that was seen, and what the test faces gave."""

    path: Path
    card: Card
    parity: Parity
    int8: Export | None = None
    evaluation: Evaluation | None = field(default=None, repr=False)  # thousands of probabilities

    @property
    def beside(self) -> Mapping[str, float]:
        """Of an int8 twin: its accuracies and, as fp32_…, those of what it was made of, on the same faces."""
        figures: Mapping[str, float] = self.card.training.get(QUANTISED, {})
        return figures


def export(
    folder: Path,
    data: FaceDataset,
    output: Path,
    *,
    name: str,
    test: FaceDataset | None = None,
    int8: bool = False,
    architecture: str | None = None,
) -> Export:
    """Write the best network of a run as `<output>/<name>.onnx`, its card `.json`, and `.safetensors`.

    The last is the same weights for `mien train --from`; an int8 model has none.

    Args:
        folder: the run.
        data: what the run was given: its validation part fits temperature and threshold and checks parity.
        output: folder of the model; created when missing.
        name: of the model.
        test: faces that nothing was chosen on, to report in the card; never used for anything else.
        int8: also write `<name>-int8`, quantised on training faces, with a temperature, a threshold and
            figures of its own.
        architecture: that the caller expects; without it a network of someone's own is not imported.

    Raises:
        OptionError: the run's network is code that `architecture` does not name, or the name is that of a
            run's own files.
        TrainingError: the run is not usable, or the exported file does not follow PyTorch.
    """
    if is_taken(name, folder, output):
        raise OptionError(f"a model cannot be called {name!r}: files of a run have that name; choose another")
    trained = _opened(folder, data, name, architecture)
    network, split, card = trained.network, trained.split, trained.card
    test = None if test is None else test.with_labels(card.labels)
    content = to_onnx(network, (1, *split.data.images.shape[1:]))
    session = OnnxSession(content, device="cpu")
    logits = _session_logits(card, session, split)
    parity = _parity(network, card, split, logits)
    check_parity(parity)
    plain, true = card, data.targets[split.validation]
    card, evaluation = measured(calibration.calibrated(plain, logits, true), session, test)
    small = _quantised(content, plain, logits, evaluation, split, test) if int8 else None
    state = {"model": name, "labels": list(card.labels), "network": trained.options, "log": trained.log}
    path = write_model(output, content, card, checkpoint_bytes(weights_of(network), state))
    twin = None if small is None else small.written(output)  # only once the model itself is safe
    return Export(path, Card.read(path.with_suffix(".json")), parity, twin, evaluation)


def run_model(folder: Path, data: FaceDataset, *, architecture: str | None = None) -> Model:
    """Return the best network of a run, calibrated, without exporting it; it runs in PyTorch.

    Args and errors are those of `export`.
    """
    trained = _opened(folder, data, folder.resolve().name, architecture)
    card, split = trained.card, trained.split
    shape = (card.input.channels, card.input.height, card.input.width)
    session = TorchSession(trained.network, shape, len(card.labels))
    logits = _session_logits(card, session, split)
    card = calibration.calibrated(card, logits, split.data.targets[split.validation])
    return Model(card.name, card, session, trained.digest)


@dataclass(frozen=True, slots=True)
class _Trained:
    """The best network of a run and what is known of it; the card is not calibrated yet."""

    network: nn.Module
    split: Split
    card: Card
    options: dict[str, Any]
    log: dict[str, Any]
    digest: str


def _opened(folder: Path, data: FaceDataset, name: str, architecture: str | None) -> _Trained:
    """Read a run, and check that `data` is what it was given."""
    config = run_config(folder, architecture)
    facts = read_facts(folder)
    data = data.with_labels(check_labels(facts.get("labels"), folder) or data.labels)
    split = split_data(data, config)
    # Other faces would be split otherwise: temperature and threshold could be fitted on trained faces.
    seen = dict(zip(DIGESTS, (split.digest(), split.validation_digest()), strict=True))
    if any(facts.get(name) not in (None, digest) for name, digest in seen.items()):
        raise TrainingError(
            f"{str(folder)!r} was trained on other faces; give the same data, votes and test split as then"
        )
    content = read_weights_file(folder / BEST)
    network, log = _best_network(content, folder, config, data.labels)
    card = _card(
        name, network, config, split, {**log, "start": facts.get("start"), "teachers": facts.get("teachers")}
    )
    return _Trained(network, split, card, network_of(config), log, hashlib.sha256(content).hexdigest())


@dataclass(frozen=True, slots=True)
class _Quantised:
    """An int8 twin that is not written yet."""

    content: bytes
    card: Card
    parity: Parity
    evaluation: Evaluation | None

    def written(self, output: Path) -> Export:
        path = write_model(output, self.content, self.card)
        return Export(path, Card.read(path.with_suffix(".json")), self.parity, evaluation=self.evaluation)


def _quantised(
    content: bytes,
    card: Card,
    logits: NDArray[np.float64],
    evaluated: Evaluation | None,
    split: Split,
    test: FaceDataset | None,
) -> _Quantised:
    """Quantise the network, which gave `logits` and was `evaluated`; the card says what that costs."""
    drawn = np.random.default_rng(0).permutation(len(split.train))[:_CALIBRATION_FACES]
    small = quantise(content, to_batch(split.data.images[split.train[drawn]], card))
    session = OnnxSession(small, device="cpu")
    own = _session_logits(card, session, split)
    card = replace(card, name=f"{card.name}-int8", precision="int8")
    true = split.data.targets[split.validation]
    card, evaluation = measured(calibration.calibrated(card, own, true), session, test)
    beside = {
        "calibration_faces": len(drawn),
        **_accuracies("validation", own.argmax(1) == true, logits.argmax(1) == true),
    }
    if evaluation is not None and evaluated is not None:
        beside |= _accuracies("test", evaluation.right, evaluated.right)
    card = replace(card, training={**card.training, QUANTISED: beside})
    return _Quantised(small, card, compare(logits, own), evaluation)


def _accuracies(part: str, int8: NDArray[np.bool_], fp32: NDArray[np.bool_]) -> dict[str, float]:
    """Return the accuracy of the int8 twin and of the network it was made of."""
    return {
        f"{part}_accuracy": round(float(int8.mean()), 4),
        f"fp32_{part}_accuracy": round(float(fp32.mean()), 4),
    }


def _best_network(
    content: bytes, folder: Path, config: TrainingConfig, labels: tuple[str, ...]
) -> tuple[nn.Module, dict[str, Any]]:
    weights, state = parse_checkpoint(content, folder / BEST)
    try:
        log = EpochLog.from_dict(state.get("log"))
    except ValueError as error:
        raise TrainingError(f"the weights in {str(folder)!r} are damaged: {error}; train anew") from error
    network = create_network(config.architecture, len(labels), **config.network_options())
    try:
        missing = network.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        raise TrainingError(f"the weights in {str(folder)!r} are of another network") from error
    if any(not name.endswith("num_batches_tracked") for name in missing.missing_keys):
        raise TrainingError(f"the weights in {str(folder)!r} lack {', '.join(missing.missing_keys[:5])}")
    return network.eval(), asdict(log)


def to_onnx(network: nn.Module, shape: tuple[int, ...]) -> bytes:
    """Return the network as ONNX for faces of `shape` (channels, height, width), any number of them."""
    sample = torch.zeros(2, *shape)
    with quiet():
        program = torch.onnx.export(
            network,
            (sample,),
            dynamo=True,
            opset_version=_OPSET,
            input_names=["faces"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("n", min=1)},),
            verbose=False,
        )
    assert program is not None
    return _without_traces(program.model_proto)


def _without_traces(model: onnx.ModelProto) -> bytes:
    """The exporter notes beside every node where in whose files it comes from; that is nobody's business."""
    graph = model.graph
    for part in (graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        del part.metadata_props[:]
    return bytes(model.SerializeToString())


def _session_logits(card: Card, session: Session, split: Split) -> NDArray[np.float64]:
    model = Model(card.name, card, session, digest="")
    return np.concatenate([logits_of(model, faces) for faces in _validation_faces(split)])


def _validation_faces(split: Split) -> Iterator[NDArray[np.uint8]]:
    """Yield the pixels batch by batch, so that they never stand in memory a second time."""
    for start in range(0, len(split.validation), _BATCH):
        yield split.data.images[split.validation[start : start + _BATCH]]


@torch.no_grad()
def _parity(network: nn.Module, card: Card, split: Split, logits: NDArray[np.float64]) -> Parity:
    batches = (torch.from_numpy(to_batch(faces, card)) for faces in _validation_faces(split))
    return compare(torch.cat([network(batch) for batch in batches]).double().numpy(), logits)


def check_parity(parity: Parity) -> None:
    """Raise TrainingError where the exported file does not follow PyTorch."""
    if not parity.holds:
        raise TrainingError(
            f"the exported file differs from PyTorch: {parity.different_top} of {parity.faces} top labels, "
            f"largest probability difference {parity.largest_difference:.2g} (limit {PARITY_LIMIT:g})"
        )


def compare(one: NDArray[np.float64], other: NDArray[np.float64]) -> Parity:
    """Compare two networks' logits (faces, labels) on the same faces."""
    difference = np.abs(softmax(one, 1.0) - softmax(other, 1.0)).max()
    return Parity(len(one), int((one.argmax(1) != other.argmax(1)).sum()), float(difference))


def _card(name: str, network: nn.Module, config: TrainingConfig, split: Split, log: dict[str, Any]) -> Card:
    data = split.data
    height, width = data.images.shape[1:]
    return Card(
        name=name,
        labels=data.labels,
        input=ModelInput(width=width, height=height, colour="gray", mean=MEAN, std=STD),
        parameters=count_parameters(network),
        multiply_adds=count_multiply_adds(network, (1, height, width)),
        architecture=config.architecture,
        training={
            "data": data.source,
            "data_digest": split.digest(),
            "faces": len(split.train),
            "validation_faces": len(split.validation),
            "own_validation": data.apart is not None,
            "votes": data.votes is not None and config.vote_weight > 0,
            "epoch": log["epoch"],
            "validation_accuracy": round(log["validation_accuracy"], 4),
            "recipe": config.to_dict(),
            "start": log["start"],
            **({"teachers": log["teachers"]} if log["teachers"] else {}),
            "mien": __version__,
        },
        licence=_LICENCE,
        intended_use=_INTENDED_USE,
        limits=_LIMITS,
    )


def measured(card: Card, session: OnnxSession, test: FaceDataset | None) -> tuple[Card, Evaluation | None]:
    """Return the card with the figures on the test faces, and the measurement, where there are any."""
    if test is None:
        return card, None
    evaluation = evaluate(Model(card.name, card, session, digest=""), test)
    return reported(card, evaluation), evaluation


def weights_of(network: nn.Module) -> dict[str, torch.Tensor]:
    """Return what a twin for fine-tuning holds: weights and running statistics by name."""
    return {name: tensor for name, tensor in network.state_dict().items() if tensor.is_floating_point()}


def write_model(output: Path, content: bytes, card: Card, twin: bytes | None = None) -> Path:
    """Write `<output>/<name>.onnx`, its card and, where there are any, the same weights to fine-tune."""
    path = output / f"{card.name}.onnx"
    write_onnx(path, content, card, twin)
    return path
