"""Training from Python in a few lines: `mien.create_model`, `mien.fit`, `mien.export`.

The commands `mien train` and `mien export` come through here too. Nothing here needs the train extra before
it is called.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.core.errors import OptionError
from mien.core.given import given_kind, given_labels, given_path
from mien.training._extra import check_training, with_training
from mien.training.config import NETWORK_FIELDS, TrainingConfig, network_of
from mien.training.presets import check_crops, resolve
from mien.training.schedules import EpochLog

if TYPE_CHECKING:
    from torch import nn

    from mien.datasets import FaceDataset
    from mien.evaluation import Evaluation
    from mien.training.export import Export
    from mien.training.start import Start
    from mien.zoo.registry import Model

_START = "the name of a model, the folder of a run, or a .safetensors file"
_TEACHER = "the name of a model, the folder of a run or of a cross-validation, or a .safetensors file"
_INIT = "a safetensors file, or an https address of one"
_NETWORK = 'a network, as mien.create_model("mien-base", data.labels) returns it'
_RUN = "a run of mien.fit, or the folder of one"

OnEpoch = Callable[[EpochLog], None]
OnStep = Callable[[int, int, int], None]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Network:
    """A network that is to be trained: which one, for which labels, and from which weights.

    Attributes:
        labels: in the order of its outputs.
        config: its name and options, as the configuration of a run holds them.
        start: the weights that it begins with; None for fresh ones, which follow from a run's seed.
    """

    labels: tuple[str, ...]
    config: TrainingConfig
    start: Start | None = None

    def __repr__(self) -> str:
        options = "".join(
            f", {name}={value!r}" for name, value in self.options.items() if name in NETWORK_FIELDS
        )
        return f"Network({self.architecture!r}, labels={self.labels!r}{options})"

    @property
    def architecture(self) -> str:
        """The name of the network."""
        return self.config.architecture

    @property
    def options(self) -> dict[str, Any]:
        """What makes the network, by the names of a run's configuration."""
        return network_of(self.config)

    def module(self, seed: int = 0) -> nn.Module:
        """Return the network itself, a `torch.nn.Module`, as a run with this seed begins with it."""
        from mien.training.loop import first_network

        return first_network(replace(self.config, seed=seed), self.labels, self.start)

    def summary(self, side: int = 48) -> str:
        """Return a table of the layers for faces of `side` × `side` pixels, with parameters and cost."""
        from mien.training.cost import summarise

        return summarise(self.module(), (1, side, side))


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A training run: its folder, and what happened in it.

    Attributes:
        folder: with configuration, logs and checkpoints; `fit` with the same arguments goes on there.
        config: the recipe.
        history: the log of every epoch, the first one first.
        data: the faces it was given, of which a part was kept apart to choose the best epoch on.
    """

    folder: Path
    config: TrainingConfig
    history: tuple[EpochLog, ...]
    data: FaceDataset = field(repr=False)

    @property
    def best(self) -> EpochLog:
        """The log of the epoch whose weights are kept."""
        return [log for log in self.history if log.best][-1]

    def model(self) -> Model:
        """Return the best network as it stands, calibrated, to measure or to analyse pictures with."""
        from mien.training.export import run_model

        return run_model(self.folder, self.data, architecture=self.config.architecture)

    def report(self, evaluation: Evaluation | None = None) -> Path:
        """Write the run's page, `report.html` in its folder, with a measurement where one is given.

        Raises:
            MissingExtraError: the report extra is not installed.
        """
        from mien.training.runs.report import report_run

        return report_run(self.folder, evaluation=evaluation)


def create_model(
    architecture: str,
    labels: Sequence[str],
    *,
    start: str | os.PathLike[str] | None = None,
    init: str | os.PathLike[str] | None = None,
    sha256: str | None = None,
    **options: Any,
) -> Network:
    """Return a network to train.

    Args:
        architecture: "mien-base", "mien-tiny", "mien-teacher", "r1" to "r5", or `package.module:Factory` of
            one's own.
        labels: of the faces that it will see, such as `data.labels`; the order is that of its outputs.
        start: weights to fine-tune: the name of a model ("mien-base"), the folder of a run, or a
            .safetensors file that Mien wrote. Fresh ones without it.
        init: another program's weights instead, such as MobileNetV2's of ImageNet or of face recognition for
            r2: a safetensors file, or an https address of one. The names may be torchvision's or timm's.
        sha256: of that file; an address needs it.
        options: of the network: `attention` and `standardise` for Mien's; `width`, `input_size` and
            `origin` for r2.

    Raises:
        OptionError: there is no such network, or it does not take these options or labels.
        ModelError: the weights cannot be fine-tuned.
        TrainingError: the weights are damaged, or of another network.
        DownloadError: the weights cannot be fetched.
        MissingExtraError: the train extra is not installed.
    """
    check_training()
    from mien.training.foreign import read_init
    from mien.training.start import read_start

    if unknown := [name for name in options if name not in NETWORK_FIELDS]:
        raise OptionError(
            f"unknown option {', '.join(unknown)} of a network; choose from {', '.join(NETWORK_FIELDS)}, and "
            "give what belongs to the recipe to fit"
        )
    if start is not None and init is not None:
        raise OptionError("give start or init, not both")
    if sha256 is not None and init is None:
        raise OptionError("sha256 belongs to init; there is no file to check")
    if sha256 is not None:
        given_kind("sha256", sha256, str, "the digest of init, 64 hexadecimal digits")
    begin = None if start is None else read_start(_place("start", start, _START))
    if init is not None:
        begin = read_init(_place("init", init, _INIT), sha256)
    values = {"architecture": architecture, **options}
    config = resolve(None, None, values, None if begin is None else begin.network)
    network = Network(_network_labels(labels), config, begin)
    network.module()  # what cannot be made, or does not fit, is said now
    return network


def fit(
    network: Network,
    data: FaceDataset,
    folder: str | os.PathLike[str],
    *,
    validation_data: FaceDataset | None = None,
    preset: str | None = None,
    config: TrainingConfig | None = None,
    teachers: Sequence[str | os.PathLike[str]] = (),
    on_epoch: OnEpoch | None = None,
    on_step: OnStep | None = None,
    **options: Any,
) -> Run:
    """Train a network; the same call goes on where a run in the folder stands, and a finished one is kept.

    Args:
        network: of `create_model`.
        data: faces with the network's labels; some of them, by `validation`, are kept apart to choose with.
        folder: of the run; it is created, and holds all that is needed to go on and to export.
        validation_data: faces to choose epoch, temperature and threshold on, such as
            `load_dataset("faces", "validation")`; no part of `data` is kept apart then, and `validation` is
            not used.
        preset: a recipe by name, such as "fine-tune" or "r1"; `mien-base`'s without it. Of a preset's
            network only the recipe counts.
        config: a whole recipe instead, such as another run's `config`.
        teachers: networks to learn from as well, each on the very views that the student sees: names of
            models, folders of runs, or of a cross-validation, of which the network speaks that was trained
            without the face. `distil_weight` and `distil_temperature` say how.
        on_epoch: called with the log of each epoch; `print` shows one line each.
        on_step: called after each step with the epoch, the number of the step, and how many there are.
        options: of the recipe by name (`mien.TrainingConfig` lists them), over the preset.

    Raises:
        DatasetError: the faces lack a label of the network.
        OptionError: an argument is of another kind, an option is unknown or has a value that is none, or
            small crops are asked of a network that reads one size only.
        TrainingError: the folder holds another run, there are too few faces, the loss is not finite, or a
            teacher cannot teach these faces.
        MissingExtraError: the train extra is not installed.
    """
    check_training()
    _check_fit(network, data, config)
    if validation_data is not None:
        _check_faces("validation_data", validation_data)
    if preset is not None and config is not None:
        raise OptionError("give a preset or a config, not both")
    if misplaced := [name for name in options if name in ("architecture", *NETWORK_FIELDS)]:
        raise OptionError(f"{', '.join(misplaced)} belongs to the network; give it to create_model")
    begun = None if network.start is None else network.start.network
    values = {**_network_values(network.config), **options}
    if config is None:
        chosen = resolve(preset, None, values, begun)
    else:
        chosen = TrainingConfig.from_dict({**config.to_dict(), **values})
        check_crops(chosen)
    place = given_path("folder", folder, 'the folder of the run, such as "runs/mine"')
    faces = _joined(data.with_labels(network.labels), validation_data)
    if isinstance(teachers, str | os.PathLike):
        raise OptionError(f"teachers has to be a list, such as [{str(teachers)!r}], not one text or path")
    named = [_place("teachers", teacher, _TEACHER) for teacher in teachers]
    return train(network, faces, place, chosen, teachers=named, on_epoch=on_epoch, on_step=on_step)


def train(
    network: Network,
    faces: FaceDataset,
    folder: Path,
    config: TrainingConfig,
    *,
    teachers: Sequence[str | Path] = (),
    places: Mapping[str, str] | None = None,
    on_epoch: OnEpoch | None = None,
    on_step: OnStep | None = None,
) -> Run:
    """Train as `fit` does, with the recipe as it is; `mien train` says where what it was given lies.

    Args:
        network: whose labels those of the faces are.
        faces: to train on and to validate on.
        folder: of the run.
        config: the network's and the recipe's options.
        teachers: where the networks are that it learns from.
        places: absolute paths by the name of the option, kept in the folder for the command of the run.
        on_epoch: as for `fit`.
        on_step: as for `fit`.

    Raises:
        TrainingError: as `fit`.
    """
    from mien.training import loop
    from mien.training.teachers import read_teachers

    logs = loop.train(
        faces,
        folder,
        config,
        on_epoch=on_epoch or (lambda log: None),
        on_step=on_step or (lambda epoch, step, steps: None),
        start=network.start,
        teachers=read_teachers(teachers, faces, config) if teachers else None,
        places=places,
    )
    return Run(folder, config, tuple(logs), faces)


def export(
    run: Run | str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    *,
    name: str | None = None,
    data: FaceDataset | None = None,
    validation_data: FaceDataset | None = None,
    test: FaceDataset | None = None,
    int8: bool = False,
    architecture: str | None = None,
) -> Export:
    """Write the best network of a run as a model: NAME.onnx, its card NAME.json, and NAME.safetensors.

    Args:
        run: of `fit`, or the folder of one.
        output: folder to write to; the run's own without it.
        name: of the model; the folder's name without it.
        data: the faces of the run, where `run` is a folder: they calibrate the model and check the file.
        validation_data: as it was given to `fit`, where `run` is a folder.
        test: faces that nothing was chosen on, to report in the card.
        int8: also write NAME-int8, a quarter of the size.
        architecture: the network of the run; needed where `run` is a folder whose network is someone's own,
            `package.module:Factory`, because its code is run.

    Raises:
        OptionError: an argument is of another kind, `run` is a folder and `data` is missing, or its network
            is code that was not named.
        TrainingError: the folder is no run, the faces are others, or the file does not follow PyTorch.
        OutputError: a file cannot be written.
        MissingExtraError: the train extra is not installed.
    """
    check_training()
    from mien.training.run_folder import model_name

    exporting: Any = with_training(_load_export)
    folder = run.folder if isinstance(run, Run) else given_path("run", run, _RUN)
    for argument, faces in (("data", data), ("validation_data", validation_data), ("test", test)):
        if faces is not None:
            _check_faces(argument, faces)
    if architecture is None and isinstance(run, Run):
        architecture = run.config.architecture
    if data is None:
        if not isinstance(run, Run):
            raise OptionError(f"give the faces that {str(folder)!r} was trained on as data")
        data = run.data
    else:
        data = _joined(data, validation_data)
    if name is not None:
        given_kind("name", name, str, 'the name of the model, such as "mine"')
    place = folder if output is None else given_path("output", output, "the folder to write the model to")
    written: Export = exporting.export(
        folder,
        data,
        place,
        name=name or model_name(folder, place),
        test=test,
        int8=int8,
        architecture=architecture,
    )
    return written


def _joined(data: FaceDataset, validation: FaceDataset | None) -> FaceDataset:
    """Return the faces of a run: those to train on, with those to choose on where there are any."""
    from mien.datasets import with_validation

    return data if validation is None else with_validation(data, validation.with_labels(data.labels))


def _network_values(config: TrainingConfig) -> Mapping[str, Any]:
    """Every option that concerns the network, those at their default too."""
    return {name: getattr(config, name) for name in ("architecture", *NETWORK_FIELDS)}


def _network_labels(labels: Sequence[str]) -> tuple[str, ...]:
    names = given_labels(labels)
    if len(names) < 2 or len(set(names)) < len(names) or not all(names):
        raise OptionError(
            f"labels have to be two or more different names, such as data.labels, not {labels!r}"
        )
    return names


def _place(argument: str, given: str | os.PathLike[str], wanted: str) -> str | Path:
    """A text may be the name of a model or an address; a path is never."""
    path = given_path(argument, given, wanted)
    return given if isinstance(given, str) else path


def _check_fit(network: object, data: object, config: object) -> None:
    given_kind("network", network, Network, _NETWORK)
    _check_faces("data", data)
    if config is not None:
        given_kind("config", config, TrainingConfig, "a mien.TrainingConfig, such as another run's config")


def _check_faces(argument: str, data: object) -> None:
    from mien.datasets.dataset import given_faces

    given_faces(argument, data)


def _load_export() -> Any:
    from mien.training import export

    return export
