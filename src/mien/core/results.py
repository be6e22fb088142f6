"""What Mien found: frozen, checked when made, plain to store.

Every boundary (command line, REST, database, files) goes through `to_dict` and `from_dict`.
No face is an empty tuple; a picture that cannot be read is an error, never a result.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mien.core.errors import OptionError
from mien.core.geometry import Box, Landmarks
from mien.core.version import __version__


class Scores(Mapping[str, float]):
    """The probability of every label, in card order: immutable, picklable, summing to one."""

    __slots__ = ("_labels", "_values")

    def __init__(self, scores: Mapping[str, float]) -> None:
        self._labels = tuple(scores)
        self._values = tuple(float(v) for v in scores.values())
        if not self._labels:
            raise OptionError("scores need at least one label")
        if not all(0.0 <= v <= 1.0 for v in self._values):
            raise OptionError(f"scores have to be probabilities in [0, 1], not {dict(scores)}")
        if not math.isclose(sum(self._values), 1.0, abs_tol=1e-3):
            raise OptionError(f"scores have to sum to 1, not {sum(self._values):.4f}")

    def __getitem__(self, label: str) -> float:
        try:
            return self._values[self._labels.index(label)]
        except ValueError:
            raise KeyError(label) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._labels)

    def __len__(self) -> int:
        return len(self._labels)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Scores):
            return (self._labels, self._values) == (other._labels, other._values)
        return NotImplemented if not isinstance(other, Mapping) else dict(self) == dict(other)

    def __hash__(self) -> int:
        return hash((self._labels, self._values))

    def __repr__(self) -> str:
        return f"Scores({dict(self)!r})"


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the head is turned, in degrees, estimated from landmarks.

    `roll` is positive when the head leans towards the viewer's right, `yaw` when the nose points to
    the viewer's right, `pitch` when it points up. Yaw and pitch are coarse: good for "frontal or not".
    """

    roll: float
    yaw: float
    pitch: float

    def to_dict(self) -> dict[str, float]:
        """Return plain `{"roll", "yaw", "pitch"}`."""
        return {"roll": self.roll, "yaw": self.yaw, "pitch": self.pitch}


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a face can be read: `reasons` names what is poor and is empty for a good face.

    Attributes:
        size: the shorter side of the face's box, in pixels of the original picture.
        sharpness: variance of the Laplacian of the 48×48 crop; blurred faces are low.
        brightness: mean grey value of the crop, in [0, 255].
        pose: None where the detector gives no landmarks.
        reasons: any of "small", "blurred", "dark", "bright", "turned".
    """

    size: int
    sharpness: float
    brightness: float
    pose: Pose | None = None
    reasons: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only."""
        return {
            "size": self.size,
            "sharpness": self.sharpness,
            "brightness": self.brightness,
            "pose": None if self.pose is None else self.pose.to_dict(),
            "reasons": list(self.reasons),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Quality:
        """Return the quality that `to_dict` described."""
        pose = data["pose"]
        return cls(
            size=data["size"],
            sharpness=data["sharpness"],
            brightness=data["brightness"],
            pose=None if pose is None else Pose(**pose),
            reasons=tuple(data["reasons"]),
        )


@dataclass(frozen=True, slots=True)
class Face:
    """One face.

    Attributes:
        box: in whole pixels of the original picture, inside it.
        scores: the probability of every label, in card order.
        emotion: the top label, or None when no label is likely enough ("uncertain").
        quality: how well the face can be read.
        detection_score: in [0, 1], or None where the caller or detector gives none.
        landmarks: in pixels of the original picture, or None where the detector gives none.
        track_id: the same number for the same person through a film; None in photos.
    """

    box: Box
    scores: Mapping[str, float]
    emotion: str | None
    quality: Quality
    detection_score: float | None = None
    landmarks: Landmarks | None = None
    track_id: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.scores, Scores):
            object.__setattr__(self, "scores", Scores(self.scores))
        if self.emotion is not None and self.emotion != self.top:
            raise OptionError(f"emotion {self.emotion!r} has to be the top label {self.top!r} or None")
        if self.detection_score is not None and not 0.0 <= self.detection_score <= 1.0:
            raise OptionError(f"detection score has to be in [0, 1], not {self.detection_score!r}")

    @property
    def top(self) -> str:
        """The most likely label, also when it is not likely enough."""
        return max(self.scores, key=self.scores.__getitem__)

    @property
    def confidence(self) -> float:
        """The probability of the top label, in [0, 1]."""
        return max(self.scores.values())

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only; `top` and `confidence` are written for readers."""
        return {
            "box": self.box.to_dict(),
            "emotion": self.emotion,
            "top": self.top,
            "confidence": self.confidence,
            "scores": dict(self.scores),
            "detection_score": self.detection_score,
            "landmarks": None if self.landmarks is None else self.landmarks.to_dict(),
            "quality": self.quality.to_dict(),
            "track_id": self.track_id,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Face:
        """Return the face that `to_dict` described."""
        landmarks = data["landmarks"]
        return cls(
            box=Box.from_dict(data["box"]),
            scores=Scores(data["scores"]),
            emotion=data["emotion"],
            quality=Quality.from_dict(data["quality"]),
            detection_score=data["detection_score"],
            landmarks=None if landmarks is None else Landmarks.from_dict(landmarks),
            track_id=data["track_id"],
        )


@dataclass(frozen=True, slots=True)
class ModelReference:
    """Which classifier gave a result: its name and the SHA-256 of its file (64 hexadecimal digits)."""

    name: str
    digest: str

    def to_dict(self) -> dict[str, str]:
        """Return plain `{"name", "digest"}`."""
        return {"name": self.name, "digest": self.digest}


@dataclass(frozen=True, slots=True)
class ImageAnalysis:
    """Every face of one picture, largest first, with what is needed to repeat the result.

    Attributes:
        faces: empty when the picture holds no face.
        width, height: of the upright original picture, in pixels.
        source: where the picture came from (a path or a name), or None.
        model: the classifier.
        detector: the detector's name, or "given" when the caller gave boxes or landmarks.
        options: digest of the options that can change a result.
        elapsed_s: seconds from bytes to result.
        version: the version of Mien that made it.
    """

    faces: tuple[Face, ...]
    width: int
    height: int
    model: ModelReference
    detector: str
    options: str
    elapsed_s: float
    source: str | None = None
    version: str = __version__

    def __post_init__(self) -> None:
        object.__setattr__(self, "faces", tuple(self.faces))
        if self.width < 1 or self.height < 1:
            raise OptionError(f"a picture has at least 1×1 pixels, not {self.width}×{self.height}")

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only, ready for `json.dumps`."""
        return {
            "source": self.source,
            "width": self.width,
            "height": self.height,
            "faces": [face.to_dict() for face in self.faces],
            "model": self.model.to_dict(),
            "detector": self.detector,
            "options": self.options,
            "elapsed_s": self.elapsed_s,
            "version": self.version,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ImageAnalysis:
        """Return the analysis that `to_dict` described."""
        return cls(
            faces=tuple(Face.from_dict(face) for face in data["faces"]),
            width=data["width"],
            height=data["height"],
            model=ModelReference(**data["model"]),
            detector=data["detector"],
            options=data["options"],
            elapsed_s=data["elapsed_s"],
            source=data["source"],
            version=data["version"],
        )
