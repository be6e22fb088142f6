"""Measures four answers to unbalanced emotions on FER2013's training faces: none, sampling, weights, SMOTE.

    OMP_NUM_THREADS=1 .venv/bin/python docs/experiments/smote.py fer2013/train --output smote.json

Protocol. A stratified fifth of the faces is the validation part, the same for all; of the others a
stratified `--faces` are trained on. Every method trains the same small network for the same number of
epochs and steps with the same schedule, flips as the only change, and nothing chosen on the way: the
weights of the last epoch are measured once on the validation part. Seeds change first weights, order,
flips and SMOTE's draws. No test faces are read. What came out stands in docs/decisions.

SMOTE (Chawla et al., JAIR 2002) makes faces of the rarer labels between a face and one of its five nearest
neighbours of the same label, by pixels, until every label is as frequent as the most frequent one.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from torch import nn

from mien.core.files import atomic_write
from mien.datasets import FaceDataset, load_dataset, stratified_split
from mien.evaluation.metrics import accuracy, confusion_matrix, macro_f1, precision_recall_f1

METHODS = ("plain", "balanced sampling", "class weights", "SMOTE")
BATCH, RATE, NEIGHBOURS = 64, 2e-3, 5


def smote(data: FaceDataset, seed: int) -> FaceDataset:
    """Return the faces and made ones after them, every label as frequent as the most frequent."""
    dice = np.random.default_rng(seed)
    counts = np.bincount(data.targets)
    images, targets = [data.images], [data.targets]
    for label, count in enumerate(counts):
        missing = counts.max() - count
        if not missing:
            continue
        faces = data.images[data.targets == label].reshape(count, -1).astype(np.float32)
        near = NearestNeighbors(n_neighbors=NEIGHBOURS + 1).fit(faces).kneighbors(return_distance=False)
        one = dice.integers(0, count, missing)
        other = near[one, dice.integers(0, NEIGHBOURS, missing)]
        way = dice.random((missing, 1), dtype=np.float32)
        made = faces[one] + way * (faces[other] - faces[one])
        images.append(made.round().astype(np.uint8).reshape(missing, *data.images.shape[1:]))
        targets.append(np.full(missing, label))
    every = np.concatenate(targets)
    names = tuple(map(str, range(len(every))))
    return FaceDataset(np.concatenate(images), every, data.labels, names)


def network(labels: int) -> nn.Sequential:
    """Return four convolutions and a linear layer, 0.14 M parameters."""
    layers: list[nn.Module] = []
    for before, after in ((1, 24), (24, 48), (48, 96), (96, 96)):
        layers += [nn.Conv2d(before, after, 3, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.MaxPool2d(2)]
    return nn.Sequential(
        *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(96, labels)
    )


def prepared(images: torch.Tensor) -> torch.Tensor:
    """Return uint8 faces (faces, height, width) as the network reads them."""
    return (images.unsqueeze(1).float() / 255 - 0.5) / 0.25


def order(
    method: str, targets: NDArray[np.int64], steps: int, dice: np.random.Generator
) -> NDArray[np.int64]:
    """Return which faces an epoch sees; as many for every method."""
    if method == "balanced sampling":
        share = 1 / np.bincount(targets)[targets]
        return dice.choice(len(targets), steps * BATCH, p=share / share.sum())
    return dice.permutation(len(targets))[: steps * BATCH]


def measure(
    method: str, train: FaceDataset, validation: FaceDataset, epochs: int, seed: int
) -> dict[str, float | list[float]]:
    """Train with one method and one seed; return what the last weights do on the validation part."""
    torch.manual_seed(seed)
    dice = np.random.default_rng(seed)
    steps = len(train) // BATCH
    seen = smote(train, seed) if method == "SMOTE" else train
    images, targets = torch.from_numpy(seen.images), torch.from_numpy(seen.targets)
    counts = torch.from_numpy(np.bincount(train.targets)).float()
    weights = len(train) / (len(counts) * counts) if method == "class weights" else None
    model = network(len(train.labels)).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=epochs * steps)
    for _ in range(epochs):
        for chosen in torch.from_numpy(order(method, seen.targets, steps, dice)).split(BATCH):
            faces = prepared(images[chosen])
            flipped = torch.where(torch.rand(len(faces), 1, 1, 1) < 0.5, faces.flip(3), faces)
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(flipped.contiguous(memory_format=torch.channels_last))
            optimizer.zero_grad()
            losses = nn.functional.cross_entropy(logits.float(), targets[chosen], weights, reduction="none")
            losses.mean().backward()
            optimizer.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        parts = torch.from_numpy(validation.images).split(256)
        found = torch.cat([model(prepared(part)) for part in parts])
    predicted = found.argmax(1).numpy()
    confusion = confusion_matrix(predicted, validation.targets, len(train.labels))
    return {
        "accuracy": accuracy(predicted, validation.targets),
        "macro_f1": macro_f1(confusion),
        "recall": precision_recall_f1(confusion)[:, 1].tolist(),
        "f1": precision_recall_f1(confusion)[:, 2].tolist(),
    }


def main() -> None:
    """Measure every method with every seed, print a row a method and write all figures."""
    parser = argparse.ArgumentParser(description="Four answers to unbalanced emotions.")
    parser.add_argument("data", type=Path, help="FER2013's training part")
    parser.add_argument("--faces", type=int, default=5000, help="faces to train on")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--output", type=Path, default=Path("smote.json"))
    given = parser.parse_args()
    rest, validation = stratified_split(load_dataset(given.data, default="train"), 0.2, seed=0)
    _, train = stratified_split(rest, given.faces / len(rest), seed=0)
    runs: dict[str, list[dict[str, float | list[float]]]] = {method: [] for method in METHODS}
    for seed in range(given.seeds):
        for method in METHODS:
            started = time.process_time()
            runs[method].append(measure(method, train, validation, given.epochs, seed))
            seconds = time.process_time() - started
            sys.stderr.write(
                f"seed {seed}  {method}  {runs[method][-1]['accuracy']:.4f}  {seconds:.0f} CPU s\n"
            )
            document = {
                "labels": list(train.labels),
                "trained_on": train.counts(),
                "measured_on": validation.counts(),
                "epochs": given.epochs,
                "batch": BATCH,
                "runs": runs,
            }
            atomic_write(given.output, json.dumps(document, indent=1) + "\n")
    for method, rows in runs.items():
        cells = [
            f"{statistics.fmean(values):.4f} ± {statistics.stdev(values) if len(values) > 1 else 0:.4f}"
            for values in ([float(row[name]) for row in rows] for name in ("accuracy", "macro_f1"))  # type: ignore[arg-type]
        ]
        sys.stdout.write(f"{method:<20}{'  '.join(cells)}\n")


if __name__ == "__main__":
    main()
