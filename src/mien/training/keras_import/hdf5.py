"""Layers out of an open HDF5 file: limits before reading, and only what lies in the file itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mien.core.errors import ModelError
from mien.training.keras_import.layers import ROLES, KerasLayer, kind_of_class, kind_of_weights, numbered

MAX_LAYERS = 2000
MAX_DEPTH = 16
MAX_NAME = 1000
MAX_TEXT_BYTES = 16 * 2**20
MAX_NUMBERS = 2**27  # as float32 half a gigabyte, as much as a file may have

_OLD_ROOT = "_layer_checkpoint_dependencies"  # Keras 2.12 called `layers` so
_NO_WEIGHTS = "seed_generator"


class _Budget:
    """How many numbers may still be read of one file: HDF5 can declare many more than it stores."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.left = MAX_NUMBERS

    def take(self, dataset: Any, what: str) -> NDArray[np.float32]:
        if not isinstance(dataset, h5py.Dataset):
            raise ModelError(f"{what} in {self.name} is no array; get or save the file again")
        if dataset.is_virtual or dataset.external:
            raise ModelError(f"{what} in {self.name} lies in another file; do not trust it")
        if dataset.dtype.kind != "f" or dataset.dtype.itemsize > 8:
            raise ModelError(f"{what} in {self.name} holds {dataset.dtype}, not floating-point numbers")
        if dataset.ndim > 4 or dataset.size is None or dataset.size > self.left:
            raise ModelError(
                f"{what} in {self.name} claims the shape {dataset.shape}, which is too large for a network "
                "that reads faces"
            )
        self.left -= dataset.size
        with np.errstate(over="ignore"):  # too large for 32 bits is not finite, which is said below
            array = np.asarray(dataset[()], np.float32)
        if not np.isfinite(array).all():
            raise ModelError(
                f"{what} in {self.name} holds numbers that are not finite; train the model again"
            )
        return array


def is_older(file: h5py.File) -> bool:
    """Return whether a file lists its layers in attributes."""
    return "layer_names" in file.attrs or "layer_names0" in file.attrs or "model_weights" in file


def read_older(file: h5py.File, name: str) -> tuple[KerasLayer, ...]:
    """Return the layers of a file with the attributes `layer_names` and `weight_names`.

    The weights of a model inside the model stand in one group; they are told apart by their paths.
    """
    budget = _Budget(name)
    root = _child(file, "model_weights", name) if "model_weights" in file else file
    if not isinstance(root, h5py.Group):
        raise ModelError(f"model_weights in {name} is no group; get or save the file again")
    layers: list[KerasLayer] = []
    for layer in _names(root, "layer_names", name):
        group = _child(root, layer, name)
        found: dict[str, dict[str, NDArray[np.float32]]] = {}
        for path in _names(group, "weight_names", name):
            if _NO_WEIGHTS in path:
                continue
            parent, _, role = path.rpartition("/")
            role = role.removesuffix(":0").removeprefix("depthwise_")
            own = parent.rpartition("/")[2] or layer
            found.setdefault(own, {})[role] = budget.take(_child(group, path, name), f"weight {path!r}")
        layers += [KerasLayer(own, "", kind_of_weights(made), made) for own, made in found.items()]
        if len(layers) > MAX_LAYERS:
            raise ModelError(f"{name} has more than {MAX_LAYERS} layers, which is the limit")
    return tuple(layers)


def read_newer(file: h5py.File, name: str) -> tuple[KerasLayer, ...]:
    """Return the layers of a file with `layers/<class>_<number>/vars/<number>`, in the order of their paths.

    The order of layers of one kind is that of the model; that of different kinds is not in the file.
    """
    # Keras 2.12 on Windows wrote paths with backslashes as one name.
    top = [key for key in file if key.replace("\\", "/").split("/")[0] in ("layers", _OLD_ROOT)]
    if not top:
        listed = ", ".join(sorted(file)[:5]) or "nothing"
        raise ModelError(f"{name} has no layers of Keras in it, only {listed}; is it another HDF5 file?")
    budget = _Budget(name)
    found: dict[str, tuple[str, dict[str, NDArray[np.float32]]]] = {}
    for path, variables, dataset in _variables(file, top, name):
        place, _, number = path.rpartition("/vars/")
        if not place or _NO_WEIGHTS in place:
            continue
        own = text_of(variables, "name", name) or place.rpartition("/")[2]
        found.setdefault(place, (own, {}))[1][number] = budget.take(dataset, f"weight {path!r}")
        if len(found) > MAX_LAYERS:
            raise ModelError(f"{name} has more than {MAX_LAYERS} layers, which is the limit")
    made = [_newer_layer(place, own, arrays) for place, (own, arrays) in found.items()]
    return tuple(sorted(made, key=lambda layer: [numbered(part) for part in layer.place.split("/")]))


def _newer_layer(place: str, own: str, arrays: dict[str, NDArray[np.float32]]) -> KerasLayer:
    kind = kind_of_class(place.rpartition("/")[2])
    roles = ROLES[kind] if kind is not None else ()
    optional = kind in ROLES and len(roles) == 2 and len(arrays) == 1
    if (len(arrays) == len(roles) or optional) and set(arrays) == {str(n) for n in range(len(arrays))}:
        arrays = {roles[int(number)]: array for number, array in arrays.items()}
    return KerasLayer(own, place, kind, arrays)


def _variables(file: h5py.File, top: list[str], name: str) -> Iterator[tuple[str, h5py.Group, h5py.Dataset]]:
    """Yield every variable with its path from `layers` down, slashes both ways made one."""
    waiting: list[tuple[str, h5py.Group, int]] = [("", file, 0)]
    seen = 0
    while waiting:
        path, group, depth = waiting.pop()
        for key in group if path else top:
            seen += 1
            if depth > MAX_DEPTH or seen > 20 * MAX_LAYERS:
                raise ModelError(f"{name} has more groups than a model has layers; do not trust it")
            child = _child(group, key, name)
            below = "/".join(part for part in (path, *key.replace("\\", "/").split("/")) if part)
            below = below.replace(_OLD_ROOT, "layers")
            if isinstance(child, h5py.Group):
                waiting.append((below, child, depth + 1))
            else:
                yield below, group, child


def _names(group: h5py.Group, attribute: str, name: str) -> list[str]:
    """Return the texts of an attribute; a long one is cut into `<attribute>0`, `<attribute>1` and so on."""
    parts = []
    if attribute in group.attrs:
        parts.append(_texts(group, attribute, name))
    while f"{attribute}{len(parts)}" in group.attrs and len(parts) < MAX_LAYERS:
        parts.append(_texts(group, f"{attribute}{len(parts)}", name))
    if not parts:
        raise ModelError(f"{name} lacks the list {attribute}; it was not written by Keras")
    if long := [len(text) for part in parts for text in part if len(text) > MAX_NAME]:
        raise ModelError(
            f"{attribute} in {name} has a name of {long[0]} letters; it was not written by Keras"
        )
    return [text for part in parts for text in part]


def text_of(group: h5py.Group, attribute: str, name: str) -> str | None:
    """Return an attribute that is one text, or None where there is none."""
    texts = _texts(group, attribute, name) if attribute in group.attrs else []
    return texts[0] if len(texts) == 1 else None


def _texts(group: h5py.Group, attribute: str, name: str) -> list[str]:
    """Return the texts of an attribute, which may claim to be of any kind and size."""
    found = group.attrs.get_id(attribute)
    count = math.prod(found.shape)
    if count == 0:
        return []  # an empty list has numbers for its kind
    is_text = h5py.check_string_dtype(found.dtype) is not None
    if not is_text or count * found.dtype.itemsize > MAX_TEXT_BYTES:
        raise ModelError(f"{attribute} in {name} is {found.dtype} {found.shape}, no list of names")
    values = np.atleast_1d(np.asarray(group.attrs[attribute])).ravel()
    return [value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value) for value in values]


def _child(group: h5py.Group, path: str, name: str) -> h5py.Group | h5py.Dataset:
    """Return what stands at `path` below a group; links are not followed."""
    found = group
    for part in path.split("/"):
        link = found.get(part, getlink=True) if isinstance(found, h5py.Group) and part else None
        if link is None:
            raise ModelError(f"{name} lacks {path!r}, which it lists; get or save it again")
        if not isinstance(link, h5py.HardLink):
            raise ModelError(f"{path!r} in {name} is a link to another place; do not trust it")
        found = found[part]
    return found
