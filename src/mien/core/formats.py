"""Which format the first bytes of a file are."""

from __future__ import annotations

from pathlib import PurePath

from mien.core.errors import ImageFormatError

READABLE = "JPEG, PNG, WebP, BMP and TIFF"

FILM_EXTENSIONS: frozenset[str] = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif"})

_BMP = b"BM"
_MATROSKA = b"\x1aE\xdf\xa3"
_GIF = (b"GIF87a", b"GIF89a")

_READ: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (_BMP, "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)

_SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "BMP": ".bmp", "TIFF": ".tif"}

# Named only to tell the user what they have.
_REFUSED: tuple[tuple[bytes, str], ...] = (
    *((signature, "a GIF") for signature in _GIF),
    (b"%PDF", "a PDF"),
    (b"8BPS", "a Photoshop file"),
    (b"\0\0\1\0", "an icon"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000"),
    (b"\xff\x0a", "a JPEG XL"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL"),
    (b"<svg", "an SVG"),
    (b"<?xml", "an XML file"),
    (b"PK\x03\x04", "a ZIP archive"),
)
_BRANDS: dict[bytes, str] = {b"avif": "an AVIF", b"avis": "an AVIF", b"heic": "a HEIC", b"heix": "a HEIC"}
_BRANDS |= {b"mif1": "a HEIC", b"msf1": "a HEIC", b"hevc": "a HEIC"}

# No text begins with these, but a list of paths can begin with BM.
_UNLIKE_TEXT = (*(signature for signature, _ in _READ if signature != _BMP), *_GIF)


def check_format(head: bytes, subject: str) -> str:
    """Return "JPEG", "PNG", "WEBP", "BMP" or "TIFF", told by the first bytes of a file.

    Raises:
        ImageFormatError: empty, or anything else.
    """
    if not head:
        raise ImageFormatError(f"{subject} is empty (0 bytes); it may not have been copied completely")
    if _is_webp(head):
        return "WEBP"
    for signature, form in _READ:
        if head.startswith(signature):
            return form
    if (suffix := film_suffix(head)) is not None and suffix != ".gif":
        raise ImageFormatError(
            f"{subject} is a film and no photo; give it a name that ends in {suffix} and it is read as a "
            "film (in Python by mien.analyze_video)"
        )
    what = _refused_kind(head)
    if what is None:
        raise ImageFormatError(f"{subject} is in no picture format known here; Mien reads {READABLE}")
    moving = ", or end its name in .gif to have it read as a film" if head.startswith(_GIF) else ""
    raise ImageFormatError(f"{subject} is {what}; Mien reads {READABLE}, so convert it first{moving}")


def is_picture(data: bytes) -> bool:
    """Tell whether `data` starts as a picture does, if only as a GIF, and so is no list of paths."""
    if data.startswith(_BMP):
        # The four reserved bytes of a bitmap's header cannot be in a path.
        return data[6:10] == bytes(4)
    return _is_webp(data) or data.startswith(_UNLIKE_TEXT)


def is_film(head: bytes) -> bool:
    """Tell whether the first 16 bytes of a file are those of a film, by container."""
    return film_suffix(head) is not None


def film_suffix(head: bytes) -> str | None:
    """Return how the name of a film that begins with these 16 bytes should end; None where it is no film."""
    if head[4:8] == b"ftyp" and head[8:12] not in _BRANDS:
        return ".mov" if head[8:12] == b"qt  " else ".mp4"
    if head.startswith(_MATROSKA):
        return ".mkv"
    if head.startswith(_GIF):
        return ".gif"
    return ".avi" if head[:4] == b"RIFF" and head[8:12] == b"AVI " else None


def picture_suffix(head: bytes) -> str | None:
    """Return how the name of a picture that begins with these bytes should end; None where it is none."""
    if _is_webp(head):
        return ".webp"
    found = next((form for signature, form in _READ if head.startswith(signature)), None)
    return _SUFFIXES[found] if found is not None and is_picture(head) else None


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _refused_kind(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        return _BRANDS[head[8:12]]  # any other one is a film
    return next((what for signature, what in _REFUSED if head.startswith(signature)), None)


def without_suffix(name: str) -> str:
    """Return a film's file name without its suffix; other dots, as in a date, belong to the name."""
    path = PurePath(name)
    return path.stem if path.suffix.lower() in FILM_EXTENSIONS else path.name
