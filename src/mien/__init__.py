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
        CameraError,
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
        VideoError,
        VideoFormatError,
        VideoLimitError,
    )
    from mien.core.film_results import FilmSummary
    from mien.core.geometry import Box, Landmarks, Point
    from mien.core.options import AnalysisOptions
    from mien.core.results import Face, FrameAnalysis, ImageAnalysis
    from mien.core.video_options import VideoOptions
    from mien.datasets import FaceDataset, load_dataset
    from mien.evaluation.evaluate import Evaluation, evaluate
    from mien.live.watch import watch
    from mien.pipeline.analyzer import Analyzer, analyze
    from mien.training.config import TrainingConfig
    from mien.training.door import Network, Run, create_model, export, fit
    from mien.training.schedules import EpochLog
    from mien.video.analysis import VideoAnalysis, analyze_video
    from mien.zoo.registry import Model, load_model

__all__ = [
    "AnalysisOptions",
    "Analyzer",
    "Box",
    "CameraError",
    "CardError",
    "DatasetError",
    "DigestError",
    "DownloadError",
    "Emotion",
    "EpochLog",
    "Evaluation",
    "Face",
    "FaceDataset",
    "FilmSummary",
    "FrameAnalysis",
    "ImageAnalysis",
    "ImageError",
    "ImageFormatError",
    "ImageLimitError",
    "Landmarks",
    "MienError",
    "MissingExtraError",
    "Model",
    "ModelError",
    "ModelNotFoundError",
    "Network",
    "OptionError",
    "OutputError",
    "Point",
    "Run",
    "TrainingConfig",
    "TrainingError",
    "VideoAnalysis",
    "VideoError",
    "VideoFormatError",
    "VideoLimitError",
    "VideoOptions",
    "__version__",
    "analyze",
    "analyze_video",
    "create_model",
    "evaluate",
    "export",
    "fit",
    "load_dataset",
    "load_model",
    "watch",
]

_ELSEWHERE = {
    "AnalysisOptions": "mien.core.options",
    "Analyzer": "mien.pipeline.analyzer",
    "Box": "mien.core.geometry",
    "Emotion": "mien.core.emotions",
    "EpochLog": "mien.training.schedules",
    "Evaluation": "mien.evaluation.evaluate",
    "Face": "mien.core.results",
    "FaceDataset": "mien.datasets",
    "FilmSummary": "mien.core.film_results",
    "FrameAnalysis": "mien.core.results",
    "ImageAnalysis": "mien.core.results",
    "Landmarks": "mien.core.geometry",
    "Model": "mien.zoo.registry",
    "Network": "mien.training.door",
    "Point": "mien.core.geometry",
    "Run": "mien.training.door",
    "TrainingConfig": "mien.training.config",
    "VideoAnalysis": "mien.video.analysis",
    "VideoOptions": "mien.core.video_options",
    "analyze": "mien.pipeline.analyzer",
    "analyze_video": "mien.video.analysis",
    "create_model": "mien.training.door",
    "evaluate": "mien.evaluation.evaluate",
    "export": "mien.training.door",
    "fit": "mien.training.door",
    "load_dataset": "mien.datasets",
    "load_model": "mien.zoo.registry",
    "watch": "mien.live.watch",
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
