"""Mien reads facial emotion from photos, videos and live cameras."""

from mien.core.version import __version__

__all__ = ["__version__"]
