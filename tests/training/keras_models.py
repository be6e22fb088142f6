"""Trains nothing: makes the reference networks in Keras with random weights, saves them in every form.

A program of its own, `python keras_models.py FOLDER`, because Keras has warnings that are errors in tests.
FOLDER gets NAME.h5, NAME.keras and NAME.weights.h5 of every model, and NAME.npz with `faces` (uint8) and the
`probabilities` that Keras gives for them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(sys.argv[1]) if __name__ == "__main__" else Path()
if __name__ == "__main__":
    os.environ |= {"KERAS_BACKEND": "torch", "KERAS_HOME": str(FOLDER / "home"), "ABSL_MIN_LOG_LEVEL": "3"}

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers as k  # noqa: E402

Made = tuple[Any, Callable[[Any], Any]]


def unit(faces: Any) -> Any:
    return faces[..., None] / np.float32(255)


def signed(faces: Any) -> Any:
    return np.repeat(faces[..., None], 3, -1) / np.float32(127.5) - 1


def pixels(faces: Any) -> Any:
    return faces[..., None].astype(np.float32)


def colours(faces: Any) -> Any:
    return np.repeat(pixels(faces), 3, -1)


def conv(filters: int, activation: Any, **norm: Any) -> list[Any]:
    """Convolution, batch norm, activation; `relu` stands in the convolution, before batch norm."""
    first = "relu" if activation == "relu" else None
    last = [] if activation == "relu" else [activation()]
    return [k.Conv2D(filters, 3, padding="same", activation=first), k.BatchNormalization(**norm), *last]


def r1(front: tuple[Any, ...] = ()) -> Any:
    stages = [
        layer
        for filters, rate in ((32, 0.25), (64, 0.3), (128, 0.4))
        for layer in (*conv(filters, k.ReLU), *conv(filters, k.ReLU), k.MaxPooling2D(), k.Dropout(rate))
    ]
    head = [k.Dense(128), k.BatchNormalization(), k.Activation("relu"), k.Dropout(0.5)]
    return keras.Sequential(
        [
            k.Input((48, 48, 1)),
            *front,
            *stages,
            *conv(256, k.ReLU),
            k.GlobalAveragePooling2D(),
            *head,
            k.Dense(7, activation="softmax"),
        ]
    )


def r3(activation: Any) -> Any:
    stages = [
        layer
        for filters in (64, 128, 256)
        for layer in (*conv(filters, activation), *conv(filters, activation), k.MaxPooling2D((2, 2)))
    ]
    head = [k.Flatten(), k.Dense(256, activation="relu"), k.Dropout(0.5), k.Dense(7, activation="softmax")]
    return keras.Sequential([k.Input((24, 24, 1)), *stages, *head])


def r4() -> Any:
    """As a functional model, with the softmax as a layer of its own."""
    faces = k.Input((48, 48, 1))
    x = faces
    for filters, drop in ((32, k.Dropout), (64, k.SpatialDropout2D), (128, k.Dropout)):
        for _ in range(2):
            x = k.Conv2D(filters, (3, 3), padding="same")(x)
            x = k.LeakyReLU(negative_slope=0.1)(k.BatchNormalization()(x))
        x = drop(0.2)(k.MaxPooling2D()(x))
    x = k.LeakyReLU(negative_slope=0.1)(k.BatchNormalization()(k.Dense(256)(k.Flatten()(x))))
    return keras.Model(faces, k.Softmax()(k.Dense(7)(k.Dropout(0.5)(x))))


def r5() -> Any:
    """With another epsilon, without the weights that change nothing, and with the optimizer's state."""
    norm = {"epsilon": 1e-5}
    model = keras.Sequential(
        [
            k.Input((48, 48, 1)),
            *(*conv(32, "relu", **norm), *conv(32, "relu", scale=False), k.MaxPooling2D()),
            *(*conv(64, "relu"), *conv(64, "relu", center=False), k.MaxPooling2D(), k.Dropout(0.3)),
            *(*conv(128, "relu"), k.MaxPooling2D()),
            *(*conv(128, "relu"), k.MaxPooling2D(padding="same")),
            *(k.Flatten(), k.Dense(512, activation="relu"), k.BatchNormalization(), k.Dropout(0.5)),
            k.Dense(5, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.optimizer.build(model.trainable_variables)
    return model


def mobile_net(side: int, alpha: float) -> Any:
    net = keras.applications.MobileNetV2
    model = net(weights=None, include_top=False, input_shape=(side, side, 3), alpha=alpha)
    generator = np.random.default_rng(side)
    settle(model, signed(blocks(generator, side)), generator)
    return model


def r2_nested() -> Any:
    """As most people use it: the whole network as one layer; its first half frozen."""
    base = mobile_net(64, 0.35)
    for layer in base.layers[:60]:
        layer.trainable = False
    head = [k.GlobalAveragePooling2D(), k.Dropout(0.2), k.Dense(7, activation="softmax")]
    return keras.Sequential([k.Input((64, 64, 3)), base, *head])


def r2_flat() -> Any:
    """As others do: its layers go on into the head, at a side that strides do not divide."""
    base = mobile_net(72, 0.35)
    x = k.GlobalAveragePooling2D()(base.output)
    return keras.Model(base.input, k.Dense(7, activation="softmax")(x))


def r2_scaling() -> Any:
    """As TensorFlow's guide does: augmentation and scaling inside of the model."""
    base = mobile_net(96, 1.0)
    faces = k.Input((96, 96, 3))
    x = keras.Sequential([k.RandomFlip("horizontal"), k.RandomRotation(0.1)])(faces)
    x = base(keras.applications.mobilenet_v2.preprocess_input(x), training=False)
    x = k.Dropout(0.2)(k.GlobalAveragePooling2D()(x))
    return keras.Model(faces, k.Dense(7, activation="softmax")(x))


MODELS: dict[str, Callable[[], Made]] = {
    "r1": lambda: (r1(), unit),
    "r1-scaling": lambda: (r1((k.RandomFlip(), k.Rescaling(1 / 127.5, offset=-1))), pixels),
    "r2-nested": lambda: (r2_nested(), signed),
    "r2-flat": lambda: (r2_flat(), signed),
    "r2-scaling": lambda: (r2_scaling(), colours),
    "r3": lambda: (r3("relu"), unit),
    "r3-after": lambda: (r3(k.ReLU), unit),
    "r4": lambda: (r4(), unit),
    "r5": lambda: (r5(), unit),
}


def settle(model: Any, faces: Any, generator: np.random.Generator) -> None:
    """Give batch norm statistics as training leaves them, near those of faces: fresh ones do nothing."""
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, k.BatchNormalization)]
    for norm in norms:
        norm.momentum, kept = 0.0, norm.momentum
        norm.kept = kept
    model(faces, training=True)
    for norm in norms:
        norm.momentum = norm.kept
        for weight in norm.weights:
            role, shape = weight.path.rpartition("/")[2], tuple(weight.shape)
            old = weight.value.detach().numpy()
            factor = generator.uniform(0.7, 1.4, shape)
            weight.assign(generator.normal(0, 0.3, shape) if role == "beta" else old * factor)


def spread(model: Any, faces: Any) -> None:
    """Make the answers differ from face to face; those of random weights hardly do."""
    dense = [layer for layer in model.layers if isinstance(layer, k.Dense)][-1]
    kernel = dense.kernel.value.detach().numpy()
    kernel = kernel - kernel.mean(1, keepdims=True)
    dense.kernel.assign(kernel)
    logits = np.log(model(faces, training=False).detach().numpy())
    logits -= logits.mean(1, keepdims=True)
    factor = 1 / logits.std(0).mean()
    dense.kernel.assign(kernel * factor)
    dense.bias.assign(-logits.mean(0) * factor)


def blocks(generator: np.random.Generator, side: int) -> Any:
    """Return six faces of large light and dark squares."""
    coarse = generator.integers(0, 256, (6, side // 8, side // 8), dtype=np.uint8)
    return coarse.repeat(8, 1).repeat(8, 2)


def main() -> None:
    generator = np.random.default_rng(5)
    for name, make in MODELS.items():
        keras.utils.set_random_seed(len(name))
        model, scaled = make()
        faces = blocks(generator, model.input_shape[1])
        if not name.startswith("r2"):
            settle(model, scaled(faces), generator)
        spread(model, scaled(faces))
        found = model(scaled(faces), training=False).detach().numpy()
        np.savez(FOLDER / f"{name}.npz", faces=faces, probabilities=found)
        model.save(FOLDER / f"{name}.h5")
        model.save(FOLDER / f"{name}.keras")
        model.save_weights(FOLDER / f"{name}.weights.h5")


if __name__ == "__main__":
    main()
