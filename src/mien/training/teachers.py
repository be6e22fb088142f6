"""Networks that teach another one: each says what it reads in the very views that the student sees.

A teacher is a run, a model or a file of weights, and says something of every face. A cross-validation is a
teacher too, a cross-fitted one: of each face its network that was trained without that face speaks, so that
what is taught is read in the face and not remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.core.errors import OptionError, TrainingError
from mien.core.files import shown
from mien.datasets import FaceDataset
from mien.training._json import read_object
from mien.training.architectures import create_network, takes_any_side
from mien.training.config import TrainingConfig, check_code
from mien.training.folding import RESULT, dealt
from mien.training.start import Start, read_start

MOST = 32
"""Most teachers of one student; of a cross-validation each network counts."""


@dataclass(frozen=True, slots=True, eq=False)
class _Teacher:
    """One network for all faces, or one for each fold.

    Attributes:
        networks: in the order of the folds; one alone without any.
        columns: of each, where the student's labels stand among its outputs.
        folds: of every face, the network that speaks of it, -1 for those kept apart; None for one alone.
    """

    networks: tuple[nn.Module, ...]
    columns: tuple[list[int], ...]
    folds: NDArray[np.int64] | None


class Teachers:
    """Several teachers, whose probabilities are averaged.

    Attributes:
        facts: plain types for the run's folder: what each teacher is, with the digest of its weights.
        groups: int64 (faces of the data,), or None: faces of one group have the same network of every
            cross-fitted teacher, so that a blend of two shows it nothing that it was trained on.
    """

    def __init__(self, teachers: Sequence[_Teacher], facts: list[dict[str, Any]]) -> None:
        self._teachers, self.facts = tuple(teachers), facts
        folds = [teacher.folds for teacher in teachers if teacher.folds is not None]
        self.groups: NDArray[np.int64] | None = None
        if folds:
            _, groups = np.unique(np.stack(folds), axis=1, return_inverse=True)
            self.groups = groups.reshape(-1).astype(np.int64)

    def to(self, device: torch.device) -> Teachers:
        """Move the networks to a device; return these teachers."""
        for teacher in self._teachers:
            for network in teacher.networks:
                network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        return self

    @torch.no_grad()
    def probabilities(self, images: Tensor, faces: NDArray[np.int64], temperature: float) -> Tensor:
        """Return the mean of what the teachers say, float32 (faces, labels), rows summing to 1.

        Args:
            images: float32 (faces, 1, height, width), as the networks read them.
            faces: their numbers in the data, int64 (faces,).
            temperature: that all logits are divided by.
        """
        said = [self._said(teacher, images, faces) for teacher in self._teachers]
        return torch.stack([torch.softmax(logits / temperature, 1) for logits in said]).mean(0)

    @staticmethod
    def _said(teacher: _Teacher, images: Tensor, faces: NDArray[np.int64]) -> Tensor:
        if teacher.folds is None:
            logits: Tensor = teacher.networks[0](images)[:, teacher.columns[0]].float()
            return logits
        folds = teacher.folds[faces]
        logits = torch.empty(len(images), len(teacher.columns[0]), device=images.device)
        for fold in np.unique(folds):
            rows = torch.from_numpy(np.flatnonzero(folds == fold)).to(images.device)
            logits[rows] = teacher.networks[fold](images[rows])[:, teacher.columns[fold]].float()
        return logits


def read_teachers(places: Sequence[str | Path], data: FaceDataset, config: TrainingConfig) -> Teachers:
    """Read the weights of teachers and check that they can teach this student these faces.

    Args:
        places: of each the name of a model, the folder of a run or of a cross-validation, or a safetensors
            file that Mien wrote.
        data: the faces that the student is trained on.
        config: the student's recipe.

    Raises:
        OptionError: there is nothing at a place, one is named twice, a network is someone's own code that
            the student is not, or cannot read the small crops of the recipe.
        ModelError: a model has no weights to run here.
        TrainingError: weights are damaged, lack one of the labels, or the folds are of other faces.
    """
    teachers, facts = [], list[dict[str, Any]]()
    for place in places:
        if (Path(place) / RESULT).is_file():
            teacher, about = _cross_fitted(Path(place), data, config)
        else:
            start = read_start(place)
            network, columns = _network(start, str(place), data.labels, config)
            teacher, about = _Teacher((network,), (columns,), None), _about(start)
        if about in facts:
            raise OptionError(f"the teacher {str(place)!r} is named twice; name others, or name it once")
        teachers.append(teacher)
        facts.append(about)
    if (many := sum(len(teacher.networks) for teacher in teachers)) > MOST:
        raise OptionError(f"{many} networks are too many teachers; {MOST} are the most")
    return Teachers(teachers, facts)


def _about(start: Start) -> dict[str, Any]:
    return {"sha256": start.facts["sha256"], "network": start.network, "model": start.facts.get("model")}


def _network(
    start: Start, place: str, labels: Sequence[str], config: TrainingConfig
) -> tuple[nn.Module, list[int]]:
    """Return a teacher's network, ready to speak, and where the student's labels stand in its outputs."""
    if not start.network or start.labels is None:
        raise TrainingError(
            f"the weights of the teacher {place!r} do not say what their network and labels are; "
            "name a run, or a model that mien export wrote"
        )
    if missing := [label for label in labels if label not in start.labels]:
        raise TrainingError(
            f"the teacher {place!r} does not know {', '.join(missing)}, which the student is to learn; it "
            f"knows {', '.join(start.labels)}"
        )
    its = TrainingConfig.from_dict(start.network)
    check_code(its.architecture, config.architecture, f"the weights of the teacher {place!r}")
    if config.small_fraction and not takes_any_side(its.architecture):
        raise OptionError(
            f"the teacher {place!r} reads faces of one size only; teach without small crops "
            "(--small-fraction 0)"
        )
    network = create_network(its.architecture, len(start.labels), **its.network_options())
    try:
        network.load_state_dict(dict(start.weights), strict=False)
    except RuntimeError as error:
        raise TrainingError(
            f"the weights of the teacher {place!r} do not fit its network: {error}"
        ) from error
    lacking = [name for name, t in network.state_dict().items() if t.is_floating_point()]
    if lacking := [name for name in lacking if name not in start.weights]:
        raise TrainingError(f"the weights of the teacher {place!r} lack {lacking[0]!r}; get them again")
    network.eval().requires_grad_(requires_grad=False)
    return network, [start.labels.index(label) for label in labels]


def _validated(data: FaceDataset, digest: object) -> NDArray[np.int64] | None:
    """Return which faces a cross-validation with this digest was of: all, or all but those kept apart.

    `mien crossval` leaves a data set's own validation split out; nobody is taught about those faces.
    """
    every = replace(data, apart=None)
    choices = [np.arange(len(data))] + ([] if data.apart is None else [np.flatnonzero(~data.apart)])
    return next((rows for rows in choices if every.subset(rows).digest() == digest), None)


def _cross_fitted(folder: Path, data: FaceDataset, config: TrainingConfig) -> tuple[_Teacher, dict[str, Any]]:
    """Return the networks of a cross-validation, and which of them was trained without which face."""
    file = folder / RESULT
    try:
        plan = read_object(file)
        digest, count = plan["data_digest"], plan["number_of_folds"]
        recipe = TrainingConfig.from_dict(plan["config"])
        if not isinstance(count, int) or isinstance(count, bool):
            raise TypeError(f"{str(count)[:40]!r} folds")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TrainingError(f"{shown(file)} cannot be used ({error!r}); validate anew") from error
    rows = _validated(data, digest)
    if rows is None:
        raise TrainingError(
            f"{shown(folder)} is a cross-validation of other faces than those to train on; only with the "
            "same ones (data, votes, labels, and the same test to leave out) is it known which network did "
            "not see a face"
        )
    numbers = np.full(len(data), -1)
    numbers[rows] = dealt(replace(data, apart=None).subset(rows), recipe, count)
    starts = [read_start(folder / f"fold-{fold}") for fold in range(1, count + 1)]
    pairs = [_network(start, str(folder), data.labels, config) for start in starts]
    networks, columns = zip(*pairs, strict=True)
    about = {"folds": [start.facts["sha256"] for start in starts], "network": starts[0].network}
    return _Teacher(networks, columns, numbers), about
