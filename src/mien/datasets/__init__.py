"""Readers of labelled faces in every form → arrays; splits, checks, descriptions, writers."""

from mien.datasets.dataset import FaceDataset
from mien.datasets.folds import fold_numbers, near_across
from mien.datasets.load import load_dataset, load_splits, load_training, read_folder
from mien.datasets.splits import drop_shared, stratified_split, with_validation
from mien.datasets.votes import read_votes, with_votes

__all__ = [
    "FaceDataset",
    "drop_shared",
    "fold_numbers",
    "load_dataset",
    "load_splits",
    "load_training",
    "near_across",
    "read_folder",
    "read_votes",
    "stratified_split",
    "with_validation",
    "with_votes",
]
