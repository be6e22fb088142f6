"""Faces saved by emotion: kept within limits, listed, drawn on a sheet, exported to train on."""

from mien.core.gallery_options import GalleryOptions
from mien.gallery.export import export_faces
from mien.gallery.sheet import gallery_sheet
from mien.gallery.store import Gallery, SavedFace, default_folder

__all__ = [
    "Gallery",
    "GalleryOptions",
    "SavedFace",
    "default_folder",
    "export_faces",
    "gallery_sheet",
]
