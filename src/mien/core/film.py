"""What is known of a film before its frames, and what was lost of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mien.core._checks import finite, record, rows, text, whole
from mien.core.errors import OptionError
from mien.core.results import Face, FrameAnalysis, ModelReference
from mien.core.version import __version__

_SOURCE_FIELDS = ("name", "width", "height", "rate", "duration_s", "frames", "codec", "has_sound")


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """What is known of a source before its frames.

    Attributes:
        name: a path, an address or "camera 0".
        width, height: of an upright frame, in pixels.
        rate: frames a second: the average of a film, what a camera promises; None where nobody says.
        duration_s: as the file declares it; None where it does not, and for cameras.
        frames: declared, or duration × rate; None where unknown. Never trusted: good for progress only.
        codec: such as "h264"; "" where there is none.
        has_sound: an audio stream lies beside the pictures.
    """

    name: str
    width: int
    height: int
    rate: float | None = None
    duration_s: float | None = None
    frames: int | None = None
    codec: str = ""
    has_sound: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SourceInfo:
        """Return the source that `to_dict` described."""
        data = record(data, "a source", _SOURCE_FIELDS)
        for name in ("rate", "duration_s"):
            if data[name] is not None:
                finite(f"source {name}", data[name], low=0.0)
        return cls(
            name=text("source name", data["name"]),
            width=whole("source width", data["width"], least=1),
            height=whole("source height", data["height"], least=1),
            rate=data["rate"],
            duration_s=data["duration_s"],
            frames=None if data["frames"] is None else whole("source frames", data["frames"], least=0),
            codec=text("source codec", data["codec"]),
            has_sound=bool(data["has_sound"]),
        )


@dataclass(frozen=True, slots=True)
class Damage:
    """A stretch that could not be decoded, or is not in the file, and was left out.

    Attributes:
        start_s, end_s: from the last good frame before to the first good one after; where none came after,
            to the end that the file declares, or else of what was read.
        frames: lost ones; where the end is missing, as many as there should have been by the rate until then.
    """

    start_s: float
    end_s: float
    frames: int

    def __str__(self) -> str:
        lost = f"{self.frames} frame" + "s" * (self.frames != 1)
        return f"{lost} lost between {self.start_s:.2f} s and {self.end_s:.2f} s"

    def to_dict(self) -> dict[str, Any]:
        """Return plain `{"start_s", "end_s", "frames"}`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Damage:
        """Return the damage that `to_dict` described."""
        data = record(data, "damage", ("start_s", "end_s", "frames"))
        return cls(
            finite("damage start_s", data["start_s"], low=0.0),
            finite("damage end_s", data["end_s"], low=0.0),
            whole("damaged frames", data["frames"], least=1),
        )


_HEAD_FIELDS = ("source", "labels", "model", "detector", "options", "video_options", "version")


@dataclass(frozen=True, slots=True)
class FilmHead:
    """What is settled before the first frame: the source, the labels, and what repeats the result.

    Attributes:
        source: the film, camera or folder.
        labels: of the model's card, in card order.
        model: the classifier.
        detector: its name.
        options: digest of the AnalysisOptions.
        video_options: digest of the VideoOptions.
        version: the version of Mien.
    """

    source: SourceInfo
    labels: tuple[str, ...]
    model: ModelReference
    detector: str
    options: str
    video_options: str
    version: str = __version__

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(text("a label", label) for label in self.labels))
        if not self.labels or len(set(self.labels)) != len(self.labels):
            raise OptionError(
                f"a film needs labels that are different, not {', '.join(self.labels) or 'none'}"
            )
        for name in ("detector", "options", "video_options", "version"):
            text(name, getattr(self, name))

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only."""
        return {
            "source": self.source.to_dict(),
            "labels": list(self.labels),
            "model": self.model.to_dict(),
            "detector": self.detector,
            "options": self.options,
            "video_options": self.video_options,
            "version": self.version,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FilmHead:
        """Return the head that `to_dict` described."""
        data = record(data, "the head of a film", _HEAD_FIELDS)
        return cls(
            source=SourceInfo.from_dict(data["source"]),
            labels=tuple(rows(data["labels"], "labels")),
            model=ModelReference.from_dict(data["model"]),
            detector=data["detector"],
            options=data["options"],
            video_options=data["video_options"],
            version=data["version"],
        )


_FRAME_FIELDS = (
    "source",
    "frame",
    "time_s",
    "width",
    "height",
    "faces",
    "model",
    "detector",
    "options",
    "version",
)


@dataclass(frozen=True, slots=True)
class FilmFrame:
    """One frame with all that is needed to store it by itself, as ImageAnalysis is for a photo.

    Attributes:
        source: path or name of the film.
        width, height: of the upright frame, in pixels.
        analysis: the frame's index, time and faces.
        options: the digests of AnalysisOptions and VideoOptions, joined by a hyphen.
        model, detector, version: as in ImageAnalysis.
    """

    source: str
    width: int
    height: int
    analysis: FrameAnalysis
    model: ModelReference
    detector: str
    options: str
    version: str = __version__

    @classmethod
    def of(cls, head: FilmHead, analysis: FrameAnalysis) -> FilmFrame:
        """Return a frame of the film that `head` describes."""
        source = head.source
        return cls(
            source=source.name,
            width=source.width,
            height=source.height,
            analysis=analysis,
            model=head.model,
            detector=head.detector,
            options=f"{head.options}-{head.video_options}",
            version=head.version,
        )

    @property
    def faces(self) -> tuple[Face, ...]:
        """The faces of the frame."""
        return self.analysis.faces

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only, ready for `json.dumps`."""
        return {
            "source": self.source,
            "frame": self.analysis.index,
            "time_s": self.analysis.time_s,
            "width": self.width,
            "height": self.height,
            "faces": [face.to_dict() for face in self.faces],
            "model": self.model.to_dict(),
            "detector": self.detector,
            "options": self.options,
            "version": self.version,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> FilmFrame:
        """Return the frame that `to_dict` described."""
        data = record(data, "a frame of a film", _FRAME_FIELDS)
        faces = tuple(Face.from_dict(face) for face in rows(data["faces"], "faces"))
        return cls(
            source=text("source", data["source"]),
            width=whole("frame width", data["width"], least=1),
            height=whole("frame height", data["height"], least=1),
            analysis=FrameAnalysis(data["frame"], data["time_s"], faces),
            model=ModelReference.from_dict(data["model"]),
            detector=text("detector", data["detector"]),
            options=text("options", data["options"]),
            version=text("version", data["version"]),
        )
