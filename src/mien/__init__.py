"""Mien reads facial emotion from photos, videos and live cameras.

    >>> import mien
    >>> mien.analyze("photo.jpg").faces[0].emotion  # doctest: +SKIP
    'happy'

The public names below are loaded on first use, so that `import mien` itself costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mien.core.version import __version__

if TYPE_CHECKING:
    from mien.core.emotions import Emotion
    from mien.core.errors import (
        CardError,
        DatasetError,
        DigestError,
        DownloadError,
        ImageError,
        ImageFormatError,
        ImageLimitError,
        MienError,
        MissingExtraError,
        ModelError,
        ModelNotFoundError,
        OptionError,
        OutputError,
        TrainingError,
    )
    from mien.core.geometry import Box, Landmarks, Point
    from mien.core.options import AnalysisOptions
    from mien.core.results import Face, ImageAnalysis
    from mien.pipeline.analyzer import Analyzer, analyze
    from mien.zoo.registry import load_model

__all__ = [
    "AnalysisOptions",
    "Analyzer",
    "Box",
    "CardError",
    "DatasetError",
    "DigestError",
    "DownloadError",
    "Emotion",
    "Face",
    "ImageAnalysis",
    "ImageError",
    "ImageFormatError",
    "ImageLimitError",
    "Landmarks",
    "MienError",
    "MissingExtraError",
    "ModelError",
    "ModelNotFoundError",
    "OptionError",
    "OutputError",
    "Point",
    "TrainingError",
    "__version__",
    "analyze",
    "load_model",
]

_ELSEWHERE = {
    "AnalysisOptions": "mien.core.options",
    "Analyzer": "mien.pipeline.analyzer",
    "Box": "mien.core.geometry",
    "Emotion": "mien.core.emotions",
    "Face": "mien.core.results",
    "ImageAnalysis": "mien.core.results",
    "Landmarks": "mien.core.geometry",
    "Point": "mien.core.geometry",
    "analyze": "mien.pipeline.analyzer",
    "load_model": "mien.zoo.registry",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'mien' has no attribute {name!r}")
    # Every public name that is not listed is an error; their module needs nothing else.
    value = getattr(import_module(_ELSEWHERE.get(name, "mien.core.errors")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
