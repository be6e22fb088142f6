"""The record of experiments: what runs' folders say, read without PyTorch."""

from mien.training.runs.read import find_runs, read_run
from mien.training.runs.record import RunRecord

__all__ = ["RunRecord", "find_runs", "read_run"]
