"""Training and measuring: what reading and changing faces costs, bf16, the second epoch, memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.measure import Figure, alternate, figure, milliseconds
from mien.core.emotions import DEFAULT_LABELS
from mien.datasets import FaceDataset
from mien.zoo.registry import Model

INPUT_AT_MOST = 0.15
BF16_AT_LEAST = 1.5
READ_AGAIN_AT_MOST = 0.01
EVALUATION_AT_MOST = 1.5
MEMORY_AT_MOST = 1.2

BATCH, STEPS = 64, 6
ROUNDS = 7
TEST_FACES = 3589  # FER2013's private test
FEW, MANY = 700, 14_000


def run(model: Model) -> Iterator[Figure]:
    """Yield the figures of training and measuring."""
    yield _input()
    yield from _bf16()
    yield _second_epoch()
    yield _evaluation(model)
    with tempfile.TemporaryDirectory() as folder:
        few, many = (_write_faces(Path(folder) / str(count), count) for count in (FEW, MANY))
        yield _memory("training", "train_peaks", few, many)
        yield _memory("measuring", "measure_peaks", few, many)


def _faces(count: int) -> FaceDataset:
    generator = np.random.default_rng(0)
    pictures = generator.integers(0, 256, (count, 48, 48), dtype=np.uint8)
    names = tuple(f"{number}.png" for number in range(count))
    return FaceDataset(pictures, np.arange(count) % 7, tuple(map(str, DEFAULT_LABELS)), names, source="noise")


def _step_seconds(*, bf16: bool) -> float:
    """Train R1 by its own preset for a few steps and return the seconds of one, without validation."""
    from mien.training.loop import train
    from mien.training.presets import resolve

    config = resolve("r1", None, {"batch_size": BATCH, "epochs": 1, "bf16": bf16})
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        # One step more than is timed: the first one makes what the others use.
        data = _faces(round((STEPS + 1.5) * BATCH / (1 - config.validation)))
        train(data, Path(folder), config, on_step=lambda *step: ends.append(time.perf_counter()))
    return float(np.median(np.diff(ends)))


def _input() -> Figure:
    """Reading and changing the faces of a step, against the whole step; the two take turns."""
    import torch

    from mien.training.batches import Batches
    from mien.training.presets import resolve
    from mien.training.split import split_data

    config = resolve("r1", None, {"batch_size": BATCH})
    data = _faces(round((STEPS + 1.5) * BATCH / (1 - config.validation)))
    batches = Batches(split_data(data, config), config)
    shares, steps, inputs = [], [], []
    for number in range(ROUNDS + 1):
        step = _step_seconds(bf16=True)
        ends = [time.perf_counter()]
        ends += [time.perf_counter() for _ in batches.epoch(number)]
        if number:  # the first round is a warm-up
            inputs.append(float(np.median(np.diff(ends))))
            steps.append(step)
            shares.append(inputs[-1] / step)
    return figure(
        f"reading and changing faces, as part of a step of R1 at batch {BATCH}",
        np.array(shares),
        limit=INPUT_AT_MOST,
        unit="of the step",
        threads=torch.get_num_threads(),
        input_ms=milliseconds(np.array(inputs)),
        step_ms=milliseconds(np.array(steps)),
    )


def _bf16() -> Iterator[Figure]:
    """Yield how much faster bf16 is, where the processor has it; else say that it has not."""
    import torch

    from mien.training.device import has_bf16

    if not has_bf16(torch.device("cpu")):
        print("bf16 is not measured: this processor does not compute in it")
        return
    _step_seconds(bf16=True)
    seconds = np.array([[_step_seconds(bf16=bf16) for bf16 in (False, True)] for _ in range(ROUNDS)]).T
    yield figure(
        f"training R1 at batch {BATCH}: bf16 is as fast as fp32",
        seconds[0] / seconds[1],
        limit=BF16_AT_LEAST,
        at_least=True,
        fp32_ms=milliseconds(seconds[0]),
        bf16_ms=milliseconds(seconds[1]),
    )


def _second_epoch() -> Figure:
    """What a process reads from files in its second epoch, in units of the data set's pixels."""
    with tempfile.TemporaryDirectory() as folder:
        data = _write_faces(Path(folder) / "faces", FEW)
        rows = np.array([_child("second_epoch", str(data)) for _ in range(3)])
    return figure(
        "bytes read in the second epoch, as part of the data set's pixels",
        rows[:, 0],
        limit=READ_AGAIN_AT_MOST,
        unit="of the pixels",
        files_of_the_data_opened=int(rows[:, 1].max()),
        mb_read_before=float(np.median(rows[:, 2])) / 2**20,
    )


def second_epoch(data: str) -> list[float]:
    """Train for two epochs; return the share read in the second, the data's files opened in it, bytes before.

    Every file that Python opens is seen by an audit hook, and every byte that the process reads is counted
    by the system, whoever reads it.
    """
    from mien.datasets import load_dataset
    from mien.training.loop import train
    from mien.training.presets import resolve

    places = (data, os.environ["MIEN_DATA"])
    opened: list[str] = []
    read: list[int] = []

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if event == "open" and len(read) == 1 and str(arguments[0]).startswith(places):
            opened.append(str(arguments[0]))

    sys.addaudithook(hook)
    faces = load_dataset(data)
    config = resolve("r1", None, {"batch_size": BATCH, "epochs": 2, "architecture": "mien-tiny"})
    with tempfile.TemporaryDirectory() as folder:
        train(faces, Path(folder), config, on_epoch=lambda log: read.append(_bytes_read()))
    return [(read[1] - read[0]) / faces.images.nbytes, float(len(opened)), float(read[0])]


def _bytes_read() -> int:
    """Return the bytes that this process has read so far, from the disk or its cache; 0 outside Linux."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        return 0
    return int(next(line for line in lines if line.startswith("rchar")).split()[1])


def _evaluation(model: Model) -> Figure:
    """Measuring the faces with all figures, against nothing but the session's calls on ready batches."""
    from mien.evaluation import evaluate
    from mien.evaluation.predict import BATCH as EVALUATION_BATCH
    from mien.pipeline.classify import to_batch

    data = _faces(TEST_FACES)
    starts = range(0, TEST_FACES, EVALUATION_BATCH)
    ready = [to_batch(data.images[start : start + EVALUATION_BATCH], model.card) for start in starts]

    def bare() -> None:
        for batch in ready:
            model.session.run(batch)

    seconds = alternate(bare, lambda: evaluate(model, data).to_dict(), repetitions=5, warm_up=1)
    return figure(
        f"measuring {TEST_FACES:,} faces, against the bare calls of the session",
        seconds[1] / seconds[0],
        limit=EVALUATION_AT_MOST,
        bare_ms=milliseconds(seconds[0]),
        mien_ms=milliseconds(seconds[1]),
    )


def _memory(what: str, peaks: str, few: Path, many: Path) -> Figure:
    """How much larger a process grows with many faces than with few, against their pixels.

    What does not depend on the faces (libraries, network, activations) is in both. The peak of the loading
    and the peak of the work are compared apart, so that a high one of the work hides none of the loading.
    """
    for data in (few, many):
        _child(peaks, str(data))  # reads the pictures; the others read what it kept
    rows = np.array([[_child(peaks, str(data)) for data in (few, many)] for _ in range(3)])
    growth = rows[:, 1] - rows[:, 0]
    shares = growth[:, :2] / growth[:, 2:]
    return figure(
        f"memory of {MANY:,} faces in {what}, beyond that of {FEW}, against their pixels",
        shares.max(1),
        limit=MEMORY_AT_MOST,
        unit="of the pixels",
        loading=float(np.median(shares[:, 0])),
        working=float(np.median(shares[:, 1])),
        pixels_mb=float(growth[0, 2]) / 2**20,
    )


def train_peaks(data: str) -> list[float]:
    """Return the peak of loading, the peak of training, and the pixels, in bytes."""
    from mien.cli._training import training_data
    from mien.training.loop import train
    from mien.training.presets import resolve

    config = replace(resolve(None, None, {"architecture": "mien-tiny"}), batch_size=32, epochs=1)

    class EnoughError(Exception):
        pass

    def on_step(epoch: int, step: int, steps: int) -> None:
        if step == 12:
            raise EnoughError

    _reset_peak()
    faces, _, _ = training_data(Path(data), None, None)
    loading = _peak()
    _reset_peak()
    with tempfile.TemporaryDirectory() as folder, suppress(EnoughError):
        train(faces, Path(folder), config, on_step=on_step)
    return [loading, _peak(), float(faces.images.nbytes)]


def measure_peaks(data: str) -> list[float]:
    """Return the peak of loading, the peak of measuring, and the pixels, in bytes."""
    from mien.datasets import load_dataset
    from mien.evaluation import evaluate
    from mien.testing import fake_model

    model = fake_model()  # answers at once and holds nothing
    _reset_peak()
    faces = load_dataset(data)
    loading = _peak()
    _reset_peak()
    evaluate(model, faces).to_dict()
    return [loading, _peak(), float(faces.images.nbytes)]


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024.0 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])


def _write_faces(folder: Path, count: int) -> Path:
    import cv2

    faces = _faces(count)
    for label in faces.labels:
        (folder / label).mkdir(parents=True)
    for name, target, picture in zip(faces.names, faces.targets, faces.images, strict=True):
        cv2.imwrite(str(folder / faces.labels[target] / name), picture)
    return folder


def _child(function: str, *arguments: str) -> list[float]:
    """Run a function of this file in a process of its own."""
    code = f"import sys; from benchmarks import training; print(*training.{function}(*sys.argv[1:]))"
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ})
    return [float(number) for number in done.stdout.split()[-3:]]
