"""Which format the first bytes of a file are."""

from __future__ import annotations

from mien.core.errors import ImageFormatError

READABLE = "JPEG, PNG, WebP, BMP and TIFF"

FILM_EXTENSIONS: frozenset[str] = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".gif"})

_BMP = b"BM"
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
    (b"\x1aE\xdf\xa3", "a film"),
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
    what = _refused_kind(head)
    if what is None:
        raise ImageFormatError(f"{subject} is in no picture format known here; Mien reads {READABLE}")
    raise ImageFormatError(f"{subject} is {what}; Mien reads {READABLE}, so convert it first")


def is_picture(data: bytes) -> bool:
    """Tell whether `data` starts as a picture does, if only as a GIF, and so is no list of paths."""
    if data.startswith(_BMP):
        # The four reserved bytes of a bitmap's header cannot be in a path.
        return data[6:10] == bytes(4)
    return _is_webp(data) or data.startswith(_UNLIKE_TEXT)


def is_film(head: bytes) -> bool:
    """Tell whether the first 16 bytes of a file are those of a film, by container."""
    return (
        (head[4:8] == b"ftyp" and head[8:12] not in _BRANDS)
        or head.startswith((b"\x1aE\xdf\xa3", *_GIF))
        or (head[:4] == b"RIFF" and head[8:12] == b"AVI ")
    )


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _refused_kind(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "a film")
    return next((what for signature, what in _REFUSED if head.startswith(signature)), None)
