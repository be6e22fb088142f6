"""Readers of labelled faces: folders and crowd votes → arrays; splits and checks."""

from mien.datasets.dataset import FaceDataset
from mien.datasets.folder import read_folder
from mien.datasets.splits import drop_shared, stratified_split
from mien.datasets.votes import read_votes, with_votes

__all__ = ["FaceDataset", "drop_shared", "read_folder", "read_votes", "stratified_split", "with_votes"]
