"""Arrays of many kinds to RGB uint8."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.core.errors import ImageError, ImageLimitError

# Interpolation and float16 leave values a little outside [0, 1]; more than this is another range.
_SLACK = 1e-3


def check_pixels(width: int, height: int, max_pixels: int, subject: str) -> None:
    """Raise ImageLimitError when width × height is above `max_pixels`, ImageError when it is nothing."""
    if width < 1 or height < 1:
        raise ImageError(f"{subject} is {width}×{height} pixels; it needs at least one")
    if width * height > max_pixels:
        raise ImageLimitError(
            f"{subject} is {width}×{height} pixels, more than the allowed {max_pixels:,};"
            " shrink it or raise max_pixels (--max-pixels)"
        )


def from_array(array: NDArray[Any], color: str, max_pixels: int) -> NDArray[np.uint8]:
    """Return RGB uint8 (height, width, 3), C-contiguous, from an array in `color` order; see images.load."""
    _check_shape(array.shape, color)
    check_pixels(array.shape[1], array.shape[0], max_pixels, "the array")
    pixels = to_uint8(np.asarray(array))
    if pixels.ndim == 2 or pixels.shape[2] == 1:
        return gray_to_rgb(pixels.reshape(pixels.shape[:2]))
    if color == "bgr":
        pixels = pixels[..., [2, 1, 0, 3]] if pixels.shape[2] == 4 else pixels[..., ::-1]
    if pixels.shape[2] == 4:
        pixels = over_white(pixels)
    return np.ascontiguousarray(pixels)


def gray_to_rgb(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (height, width, 3) with three equal channels."""
    return np.repeat(gray[..., np.newaxis], 3, axis=2)


def over_white(rgba: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay RGBA uint8 (height, width, 4) over white."""
    if rgba[..., 3].min() == 255:
        return np.ascontiguousarray(rgba[..., :3])
    height, width = rgba.shape[:2]
    laid = np.empty((height, width, 3), np.uint8)
    # In slices of about a million pixels, because the products need several times the picture's memory.
    step = max(1, (1 << 20) // width)
    for top in range(0, height, step):
        part = rgba[top : top + step]
        alpha = part[..., 3:].astype(np.uint16)
        blended = part[..., :3] * alpha + 255 * (255 - alpha)
        laid[top : top + step] = (blended + 127) // 255
    return laid


def to_uint8(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale uint16, int16 or float pixels to [0, 255]; uint8 passes as it is."""
    kind = pixels.dtype.newbyteorder("=")
    if kind == np.uint8:
        return np.asarray(pixels, dtype=np.uint8)
    if kind == np.uint16:
        return ((pixels.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if kind == np.int16:
        if (least := int(pixels.min())) < 0:
            raise ImageError(f"the picture's int16 pixels have to be in [0, 32767], but one is {least}")
        return ((pixels.astype(np.uint32) * 255 + 16_383) // 32_767).astype(np.uint8)
    if kind.kind == "f":
        return _float_to_uint8(pixels)
    raise ImageError(
        f"the picture's pixels are {kind}; give uint8 in [0, 255], uint16 in [0, 65535] or float in [0, 1]"
    )


def _float_to_uint8(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = float(pixels.min()), float(pixels.max())
    if not np.isfinite(low) or not np.isfinite(high):
        raise ImageError("the picture's pixels hold NaN or infinity; give finite numbers in [0, 1]")
    if low < -_SLACK or high > 1 + _SLACK:
        raise ImageError(
            f"the picture's float pixels run from {low:g} to {high:g}, but have to be in [0, 1];"
            " divide by the largest possible value, or give uint8"
        )
    scaled: NDArray[np.float32] = np.clip(pixels, 0, 1).astype(np.float32) * np.float32(255)
    return np.rint(scaled).astype(np.uint8)


def _check_shape(shape: tuple[int, ...], color: str) -> None:
    channels = (1,) if color == "gray" else (1, 3, 4)
    if len(shape) == 2 or (len(shape) == 3 and shape[2] in channels):
        return
    wanted = "(height, width)" if color == "gray" else "(height, width, 3)"
    raise ImageError(f"an array with color {color!r} needs shape {wanted}, not {shape}")
