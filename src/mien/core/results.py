"""What Mien found: frozen, checked when made, plain to store.

Every boundary (command line, REST, database, files) goes through `to_dict` and `from_dict`.
No face is an empty tuple; a picture that cannot be read is an error, never a result.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mien.core._checks import finite, record, rows, text, whole
from mien.core.errors import OptionError
from mien.core.geometry import Box, Landmarks
from mien.core.version import __version__


class Scores(Mapping[str, float]):
    """The probability of every label, in card order: immutable, picklable, summing to one."""

    __slots__ = ("_labels", "_values")

    def __init__(self, scores: Mapping[str, float]) -> None:
        if not isinstance(scores, Mapping):
            raise OptionError(f"scores have to map labels to probabilities, not {scores!r}")
        if not scores:
            raise OptionError("scores need at least one label")
        self._labels = tuple(text("a label of scores", label) for label in scores)
        self._values = tuple(
            finite(f"the score of {label!r}", v, low=0.0, high=1.0) for label, v in scores.items()
        )
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

    def __post_init__(self) -> None:
        for name in ("roll", "yaw", "pitch"):
            object.__setattr__(self, name, finite(name, getattr(self, name)))

    def to_dict(self) -> dict[str, float]:
        """Return plain `{"roll", "yaw", "pitch"}`."""
        return {"roll": self.roll, "yaw": self.yaw, "pitch": self.pitch}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Pose:
        """Return the pose that `to_dict` described."""
        return cls(**record(data, "a pose", ("roll", "yaw", "pitch")))


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

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", whole("quality size", self.size, least=0))
        object.__setattr__(self, "sharpness", finite("sharpness", self.sharpness, low=0.0))
        object.__setattr__(self, "brightness", finite("brightness", self.brightness, low=0.0, high=255.0))
        object.__setattr__(self, "reasons", tuple(text("a quality reason", r) for r in self.reasons))

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
        data = record(data, "quality", ("size", "sharpness", "brightness", "pose", "reasons"))
        pose = data["pose"]
        return cls(
            size=data["size"],
            sharpness=data["sharpness"],
            brightness=data["brightness"],
            pose=None if pose is None else Pose.from_dict(pose),
            reasons=tuple(rows(data["reasons"], "quality reasons")),
        )


_FACE_FIELDS = ("box", "scores", "emotion", "quality", "detection_score", "landmarks", "track_id")


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
        if self.detection_score is not None:
            score = finite("detection score", self.detection_score, low=0.0, high=1.0)
            object.__setattr__(self, "detection_score", score)
        if self.track_id is not None:
            object.__setattr__(self, "track_id", whole("track id", self.track_id))

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
        data = record(data, "a face", _FACE_FIELDS, derived=("top", "confidence"))
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

    def __post_init__(self) -> None:
        text("model name", self.name)
        text("model digest", self.digest)

    def to_dict(self) -> dict[str, str]:
        """Return plain `{"name", "digest"}`."""
        return {"name": self.name, "digest": self.digest}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ModelReference:
        """Return the reference that `to_dict` described."""
        return cls(**record(data, "a model reference", ("name", "digest")))


_IMAGE_FIELDS = (
    "source",
    "width",
    "height",
    "faces",
    "model",
    "detector",
    "options",
    "elapsed_s",
    "version",
)


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
        for name in ("width", "height"):
            object.__setattr__(self, name, whole(f"picture {name}", getattr(self, name), least=1))
        object.__setattr__(self, "elapsed_s", finite("elapsed_s", self.elapsed_s, low=0.0))
        for name in ("detector", "options", "version"):
            text(name, getattr(self, name))
        if self.source is not None:
            text("source", self.source)

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
        data = record(data, "an image analysis", _IMAGE_FIELDS)
        return cls(
            faces=tuple(Face.from_dict(face) for face in rows(data["faces"], "faces")),
            width=data["width"],
            height=data["height"],
            model=ModelReference.from_dict(data["model"]),
            detector=data["detector"],
            options=data["options"],
            elapsed_s=data["elapsed_s"],
            source=data["source"],
            version=data["version"],
        )


@dataclass(frozen=True, slots=True)
class FrameAnalysis:
    """Every face of one frame of a film or camera, largest first.

    Attributes:
        index: of the frame in its source, from 0; frames that were left out count as well.
        time_s: when it is shown, in seconds from the start of the source.
        faces: with a `track_id` each; empty when the frame holds no face.
    """

    index: int
    time_s: float
    faces: tuple[Face, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", whole("frame index", self.index, least=0))
        object.__setattr__(self, "time_s", finite("time_s", self.time_s, low=0.0))
        object.__setattr__(self, "faces", tuple(self.faces))

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only, ready for `json.dumps`."""
        return {
            "index": self.index,
            "time_s": self.time_s,
            "faces": [face.to_dict() for face in self.faces],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FrameAnalysis:
        """Return the frame that `to_dict` described."""
        data = record(data, "a frame", ("index", "time_s", "faces"))
        faces = tuple(Face.from_dict(face) for face in rows(data["faces"], "faces"))
        return cls(data["index"], data["time_s"], faces)
