"""Pictures in and out: any source becomes upright RGB, safely; RGB becomes a file."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import ImageError, OptionError, OutputError
from mien.core.files import atomic_write, shown, valid_text
from mien.core.marks import EXIF

if TYPE_CHECKING:
    from PIL.Image import Image

ImageSource: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes] | Image | NDArray[Any]"
)

MAX_PIXELS = 50_000_000
COLORS: tuple[str, ...] = ("rgb", "bgr", "gray")
EXTENSIONS: frozenset[str] = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".bmp", ".dib", ".tif", ".tiff"}
)

# Suffix to format and the longest side that the format can hold.
_WRITERS: dict[str, tuple[str, int]] = {
    ".jpg": ("JPEG", 65_500),
    ".jpeg": ("JPEG", 65_500),
    ".png": ("PNG", 2**31 - 1),
    ".webp": ("WEBP", 16_383),
}


def load(source: ImageSource, *, color: str = "rgb", max_pixels: int = MAX_PIXELS) -> NDArray[np.uint8]:
    """Return a picture as upright RGB: uint8 (height, width, 3), C-contiguous.

    Files are JPEG, PNG, WebP, BMP or TIFF, told by their content and not by their name. Format and
    size are checked before anything is decoded. The EXIF orientation is applied; grey, palette, 1-bit
    and CMYK become RGB; transparent parts become white; 16 bits are scaled to 8; of an animation or a
    multi-page file the first frame is taken. Colour profiles are ignored.

    Args:
        source: a path; the bytes of a file; a file open for reading in binary (read from where it
            stands); a Pillow image (its current frame, with its EXIF orientation); or an array of shape
            (height, width) or (height, width, 1, 3 or 4) that is uint8, uint16, non-negative int16
            (both scaled from their full range), or float in [0, 1]. A fourth channel is alpha. Never a
            URL. The result may share memory with a given uint8 array.
        color: the order of a given array's channels, "rgb", "bgr" or "gray"; other sources know theirs.
        max_pixels: a picture with more is refused before it is decoded.

    Raises:
        ImageFormatError: not a picture of these formats, or a damaged or truncated one.
        ImageLimitError: more pixels than `max_pixels`.
        ImageError: the file cannot be read, or the array has the wrong shape, type or values.
        OptionError: `source` or an option is of a kind that Mien does not know.
    """
    _check_options(color, max_pixels)
    if isinstance(source, np.ndarray):
        from mien.core._arrays import from_array

        return from_array(source, color, max_pixels)

    # Pillow is imported on first use so that importing this module stays cheap.
    from PIL.Image import Image

    from mien.core import _decode, _source

    if isinstance(source, Image):
        return _decode.from_pillow(source, max_pixels)
    subject = f"picture {shown(source)}" if isinstance(source, (str, os.PathLike)) else "the picture"
    return _decode.from_bytes(_source.read(source, subject, max_pixels), subject, max_pixels)


def describe_source(source: object) -> str | None:
    r"""Return the path of `source` as given, or None for anything that is not a path.

    The text can always be written as UTF-8: other bytes of a file name are shown as `\xff`.
    """
    if not isinstance(source, (str, os.PathLike)):
        return None
    return valid_text(os.fsdecode(source))


def encode_jpeg(image: NDArray[np.uint8], quality: int = 95) -> bytes:
    """Return RGB uint8 (height, width, 3) as the bytes of a JPEG file; `quality` is in [1, 100]."""
    return _encoded(image, ".jpg", quality)


def save(
    image: NDArray[np.uint8], path: str | os.PathLike[str], *, quality: int = 95, drawn: bool = False
) -> None:
    """Write RGB uint8 (height, width, 3) as JPEG, PNG or WebP by the suffix of `path`, whole or not at all.

    Args:
        image: RGB, in [0, 255].
        path: ends in .jpg, .jpeg, .png or .webp.
        quality: of JPEG and WebP, in [1, 100]; PNG is exact.
        drawn: mark the file (EXIF Software) as drawn by Mien, so that it is not analysed as a photo later.

    Raises:
        OptionError: another suffix or quality.
        OutputError: the file cannot be written, or the format cannot hold a picture so long.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _WRITERS:
        raise OptionError(f"{shown(path)} has to end in one of {', '.join(_WRITERS)}")
    atomic_write(path, _encoded(image, suffix, quality, EXIF if drawn else b""))


def _encoded(image: NDArray[np.uint8], suffix: str, quality: int, exif: bytes = b"") -> bytes:
    from PIL import Image

    if isinstance(quality, bool) or not isinstance(quality, int) or not 1 <= quality <= 100:
        raise OptionError(f"quality has to be a whole number between 1 and 100, not {quality!r}")
    is_picture = isinstance(image, np.ndarray) and image.dtype == np.uint8
    if not is_picture or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        what = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise ImageError(f"a picture to write has to be RGB uint8 (height, width, 3), not {what}")
    form, longest = _WRITERS[suffix]
    if max(image.shape[:2]) > longest:
        height, width = image.shape[:2]
        raise OutputError(
            f"a picture of {width}×{height} pixels is too long for {form}, which holds {longest} a side;"
            " write a PNG"
        )
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, form, quality=quality, exif=exif)
    return buffer.getvalue()


def _check_options(color: str, max_pixels: int) -> None:
    if color not in COLORS:
        raise OptionError(f"unknown color {color!r}; choose one of {', '.join(COLORS)}")
    if isinstance(max_pixels, bool) or not isinstance(max_pixels, int) or max_pixels < 1:
        raise OptionError(f"max_pixels has to be a whole number of at least 1, not {max_pixels!r}")
