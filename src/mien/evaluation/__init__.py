"""Honest measurement of classifiers, on ONNX and without torch."""

from mien.evaluation.evaluate import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
