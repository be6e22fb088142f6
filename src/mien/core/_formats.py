"""Which format the first bytes of a file are."""

from __future__ import annotations

from mien.core.errors import ImageFormatError

READABLE = "JPEG, PNG, WebP, BMP and TIFF"

_READ: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
)

# Named only to tell the user what they have.
_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"GIF8", "a GIF"),
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


def check_format(head: bytes, subject: str) -> str:
    """Return "JPEG", "PNG", "WEBP", "BMP" or "TIFF", told by the first bytes of a file.

    Raises:
        ImageFormatError: empty, or anything else.
    """
    if not head:
        raise ImageFormatError(f"{subject} is empty (0 bytes); it may not have been copied completely")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    for signature, form in _READ:
        if head.startswith(signature):
            return form
    what = _refused_kind(head)
    if what is None:
        raise ImageFormatError(f"{subject} is in no picture format known here; Mien reads {READABLE}")
    raise ImageFormatError(f"{subject} is {what}; Mien reads {READABLE}, so convert it first")


def _refused_kind(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "a film")
    return next((what for signature, what in _REFUSED if head.startswith(signature)), None)
