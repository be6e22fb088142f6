"""Everything that can go wrong, in one tree.

MienError
├── OptionError            an option, name or argument has a value Mien does not know (also a ValueError)
├── ImageError             a picture cannot be used
│   ├── ImageFormatError   not a picture, or a damaged one
│   └── ImageLimitError    larger than the limit allows, refused before decoding
├── VideoError             a film, a folder of frames or a camera cannot be used
│   ├── VideoFormatError   not a film, without pictures, or damaged from the start
│   ├── VideoLimitError    larger or longer than the limit allows, refused before decoding
│   └── CameraError        the camera cannot be opened, or is gone
├── ModelError             a model cannot be used
│   ├── ModelNotFoundError no such name or file
│   ├── CardError          the card is missing, malformed or disagrees with the network
│   └── DigestError        the file is not the one its card describes
├── DatasetError           training or test data cannot be used
├── TrainingError          training cannot go on
├── OutputError            a result cannot be written
├── DownloadError          a transfer failed or brought something else
└── MissingExtraError      an optional part of Mien is not installed

Every message is one sentence or two: what was wrong, with the value, and what to do.
"""

from __future__ import annotations


class MienError(Exception):
    """Base of every error that Mien raises on purpose."""


class OptionError(MienError, ValueError):
    """An option, name or argument has a value that Mien does not know."""


class ImageError(MienError):
    """A picture cannot be used."""


class ImageFormatError(ImageError):
    """The bytes are not a supported picture, or are damaged."""


class ImageLimitError(ImageError):
    """The picture is larger than the limit allows; it was refused before decoding."""


class VideoError(MienError):
    """A film, a folder of frames or a camera cannot be used."""


class VideoFormatError(VideoError):
    """The file is no film that is read here, has no pictures in it, or is damaged from the start."""


class VideoLimitError(VideoError):
    """The film is larger or longer than the limit allows."""


class CameraError(VideoError):
    """The camera or stream cannot be opened, or is gone."""


class ModelError(MienError):
    """A model cannot be used."""


class ModelNotFoundError(ModelError):
    """There is no model of that name, or no file at that path."""


class CardError(ModelError):
    """A model's card is missing, malformed, or disagrees with the network."""


class DigestError(ModelError):
    """A model file is not the one that its card describes."""


class DatasetError(MienError):
    """Training or test data cannot be used."""


class TrainingError(MienError):
    """Training cannot start or go on."""


class OutputError(MienError):
    """A result cannot be written."""


class DownloadError(MienError):
    """A transfer failed, or brought something other than what was asked for."""


class MissingExtraError(MienError):
    """An optional part of Mien is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(package, extra)
        self.package = package
        self.extra = extra

    def __str__(self) -> str:
        return f"{self.package} is not installed; install it with: pip install 'mien[{self.extra}]'"
