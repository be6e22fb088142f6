"""What a file of Keras does not say about its model: options, and what the reference systems did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mien.core.emotions import DEFAULT_LABELS, parse_emotion
from mien.core.errors import OptionError
from mien.core.option_table import check_fields, option
from mien.training.presets import PRESET_LABELS

MAX_SIDE = 512
"""Largest side in pixels that a network is imported for; the published ones read 48 to 224."""

REFERENCES = ("r1", "r2", "r3", "r4", "r5")

# How a pixel from 0 to 255, divided by 255, was changed before the model saw it: factor and summand.
SCALES = {"unit": (1.0, 0.0), "signed": (2.0, -1.0), "pixels": (255.0, 0.0)}
# Keras hands out folders sorted by name; R4 reads FER2013's table, which numbers emotions otherwise.
_FER2013_NUMBERING = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
USUAL_LABELS = {"r4": _FER2013_NUMBERING, "r5": PRESET_LABELS["r5"]}
USUAL_SCALE = {"r2": "signed"}
USUAL_SIDE = {"r2": 224}


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """How the faces were made that the model was trained on, and what weights alone do not tell.

    Raises:
        OptionError: a value is of another type or outside its limits, or `mean` and `scale` disagree.
    """

    scale: str = option(
        "auto",
        "What pixels were scaled to for training: unit (0 to 1), signed (-1 to 1), pixels (0 to 255). Auto: "
        "what layers in the file do themselves, else signed for r2 and unit for the others.",
        choices=("auto", *SCALES),
    )
    mean: float | None = option(
        None, "Instead of a scale: pixels were (pixel / 255 - mean) / std.", low=-1000.0, high=1000.0
    )
    std: float | None = option(None, "See mean.", low=1e-6, high=1000.0)
    colour: str = option(
        "gray",
        "What faces r2 was trained on; grey ones, as FER2013 has them, come to it in three equal channels.",
        choices=("gray", "rgb"),
    )
    side: int = option(
        0,
        "Side in pixels of the faces; 0 is what the file says, or else 48 (r2: 224).",
        low=0,
        high=MAX_SIDE,
    )
    activation: str = option(
        "auto",
        "Where r3 and r5 have their activations: before or after batch norm. Auto is as the file says, "
        "else before.",
        choices=("auto", "before", "after"),
    )

    def __post_init__(self) -> None:
        check_fields(self)
        if (self.mean is None) != (self.std is None):
            raise OptionError("mean and std belong together; give both or neither")
        if self.mean is not None and self.scale != "auto":
            raise OptionError(f"give either scale {self.scale} or mean and std, not both")

    def outside(self, architecture: str, inside: bool) -> tuple[float, float]:
        """Return factor and summand that `pixel / 255` was changed by outside of the model.

        Args:
            architecture: of the model.
            inside: whether the model itself scales pixels, which then come to it as they are.
        """
        if self.mean is not None and self.std is not None:
            return 1 / self.std, -self.mean / self.std
        if self.scale == "auto":
            return SCALES["pixels" if inside else USUAL_SCALE.get(architecture, "unit")]
        return SCALES[self.scale]

    def describe(self, architecture: str, inside: bool) -> str:
        """Return in words what `outside` returns in numbers."""
        factor, summand = self.outside(architecture, inside)
        if (factor, summand) not in SCALES.values():
            return f"(pixel / 255 - {self.mean:g}) / {self.std:g}"
        low, high = summand, factor + summand
        return f"{low:g} to {high:g}" + (", then as layers in the file scale them" if inside else "")


def labels_for(architecture: str, given: Sequence[str] | None, outputs: int) -> tuple[str, ...]:
    """Return the labels in the order of the outputs: those given, known emotions by their known names, or
    the architecture's usual ones.

    Raises:
        OptionError: there are more or fewer than outputs.
    """
    usual = USUAL_LABELS.get(architecture, DEFAULT_LABELS)
    words = usual if given is None else tuple(word.strip() for word in given)
    labels = tuple(str(parse_emotion(word) or word) for word in words)
    if len(labels) != outputs:
        whose = f"{architecture}'s usual labels are" if given is None else "the labels given are"
        raise OptionError(
            f"the model has {outputs} outputs and {whose} {len(labels)} ({', '.join(labels)}); name one for "
            "each output, in their order, with --labels A,B,…"
        )
    if not all(labels) or len(set(labels)) != len(labels):
        raise OptionError(f"labels have to be different names, not {', '.join(labels)}")
    return labels
