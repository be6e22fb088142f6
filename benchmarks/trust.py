"""Whether a model can be trusted: calibration, abstention, the crowd, damage, mirror images; with limits.

On a test set that the model was not trained on, where it lies beside the checkout; nothing is chosen on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Figure, limited
from mien.datasets import load_dataset, read_votes
from mien.evaluation import agreement, evaluate, measure_corruptions, measure_mirror
from mien.evaluation.corruptions import mean_relative_drop
from mien.zoo.registry import Model

TEST, VOTES = Path("../shared/fer2013/test"), Path("../shared/fer2013/ferplus.csv")
ACCURACY = {"mien-base": 0.72, "mien-tiny": 0.68, "mien-teacher": 0.735}
MACRO_F1 = {"mien-base": 0.70}
CALIBRATION_AT_MOST = 0.03
ANSWERED_AT_LEAST, CROWD_AT_LEAST, MIRROR_AT_LEAST = 0.80, 0.78, 0.93
DROP_AT_MOST, LIGHT_AT_MOST = 0.20, 0.03


def run(model: Model) -> Iterator[Figure]:
    """Yield the figures of a model; nothing where there are no faces."""
    if not TEST.is_dir():
        print(f"trust: left out, {TEST} is not here", flush=True)
        return
    data = load_dataset(TEST, default="test")
    found = evaluate(model, data)
    metrics = {metric.name: metric for metric in found.metrics()}
    accuracy, name, faces = metrics["accuracy"], model.name.removesuffix("-int8"), len(data)
    if name in ACCURACY:
        yield limited("accuracy on test", accuracy, faces, limit=ACCURACY[name], at_least=True)
    if name in MACRO_F1:
        yield limited("macro-F1 on test", metrics["macro_f1"], faces, limit=MACRO_F1[name], at_least=True)
    error = metrics["expected_calibration_error"]
    yield limited("calibration error on test", error, faces, limit=CALIBRATION_AT_MOST, at_least=False)
    if (answered := metrics.get("answered_accuracy")) is not None:
        share = metrics["coverage"].value
        title = f"accuracy of the {share:.1%} that are answered"
        yield limited(title, answered, round(share * faces), limit=ANSWERED_AT_LEAST, at_least=True)
    if VOTES.is_file() and (crowd := agreement(found, read_votes(VOTES))) is not None:
        along = {f"at {weight:g}": part for weight, part in crowd.along.items()}
        title = "agreement with the crowd's majority"
        yield limited(title, crowd, crowd.faces, limit=CROWD_AT_LEAST, at_least=True, **along)
    mirror = measure_mirror(model, data)
    yield limited("mirror images that agree", mirror, faces, limit=MIRROR_AT_LEAST, at_least=True)
    damaged = measure_corruptions(model, data)
    drop = mean_relative_drop(accuracy.value, damaged)
    shares = {one.name: one.accuracy for one in damaged}
    yield limited(
        "mean relative drop on damaged faces", drop, faces, limit=DROP_AT_MOST, at_least=False, **shares
    )
    for kind in ("dark", "gamma"):
        lost = accuracy.value - shares[kind]
        yield limited(f"points lost: {kind}", lost, faces, limit=LIGHT_AT_MOST, at_least=False)
