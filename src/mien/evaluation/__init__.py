"""Honest measurement of classifiers, on ONNX and without torch."""

from mien.evaluation.compare import Comparison, compare
from mien.evaluation.corruptions import CorruptionResult, corrupt, measure_corruptions
from mien.evaluation.crowd import Agreement, agreement
from mien.evaluation.curves import Curve, Curves, curves
from mien.evaluation.evaluate import Evaluation, evaluate
from mien.evaluation.explain import Explanation, FaceExplanation, explain
from mien.evaluation.mirror import MirrorResult, measure_mirror
from mien.evaluation.predict import Predictions, predict, write_predictions
from mien.evaluation.speed import milliseconds_per_face

__all__ = [
    "Agreement",
    "Comparison",
    "CorruptionResult",
    "Curve",
    "Curves",
    "Evaluation",
    "Explanation",
    "FaceExplanation",
    "MirrorResult",
    "Predictions",
    "agreement",
    "compare",
    "corrupt",
    "curves",
    "evaluate",
    "explain",
    "measure_corruptions",
    "measure_mirror",
    "milliseconds_per_face",
    "predict",
    "write_predictions",
]
