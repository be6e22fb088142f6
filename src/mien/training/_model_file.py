"""An ONNX file with its card inside. Needs the package onnx, but not torch."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
from onnx import helper

from mien.zoo.card import METADATA_KEY, Card
from mien.zoo.write import write_files


def write_onnx(path: Path, content: bytes, card: Card, twin: bytes | None = None) -> Card:
    """Write an ONNX network with its card in the metadata and beside it; args as of `write_files`."""
    graph = onnx.load_model_from_string(content)
    helper.set_model_props(graph, {METADATA_KEY: json.dumps(card.without_digest().to_dict())})
    return write_files(path, graph.SerializeToString(deterministic=True), card, twin)
