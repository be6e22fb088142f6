"""Optional filters for crops, and the edge view that people look at."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.core.errors import OptionError

_CLIP = 2.0
_TILES = (4, 4)  # 12 pixels each in a 48-pixel crop


def clahe(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Even out local contrast: contrast-limited adaptive histogram equalisation, in 4 × 4 tiles.

    Args:
        crop: uint8 (H, W) grey, or (H, W, 3) RGB, of which only the lightness changes.

    Returns:
        uint8, the shape of `crop`. Source: Zuiderveld, Graphics Gems IV, 1994.
    """
    equaliser = cv2.createCLAHE(_CLIP, _TILES)
    if crop.ndim == 2:
        return np.asarray(equaliser.apply(crop), np.uint8)
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB)
    lab[..., 0] = equaliser.apply(np.ascontiguousarray(lab[..., 0]))
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def median(crop: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Return `crop`, uint8 (H, W) or (H, W, 3), with each pixel the median of `size` × `size` around it.

    Raises:
        OptionError: `size` is not an odd number of at least 1.
    """
    if size < 1 or size % 2 == 0:
        raise OptionError(f"median size has to be an odd number of at least 1, not {size}")
    return np.asarray(cv2.medianBlur(crop, size), np.uint8)


def edges(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the edges of a crop for display: uint8 (H, W), 255 on an edge and 0 elsewhere.

    The thresholds follow the crop's own median, so dark and bright faces show alike.

    Args:
        crop: uint8 (H, W) grey or (H, W, 3) RGB.

    Source: Canny, A Computational Approach to Edge Detection, IEEE PAMI 8, 1986.
    """
    gray = crop if crop.ndim == 2 else cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    middle = float(np.median(gray))
    return np.asarray(cv2.Canny(gray, 0.67 * middle, 1.33 * middle), np.uint8)


def preprocess(
    crops: NDArray[np.uint8], *, median_size: int = 0, equalise: bool = False
) -> NDArray[np.uint8]:
    """Return crops as the classifier is to see them: median first, so that CLAHE lifts no speckle.

    Args:
        crops: uint8 (faces, H, W) or (faces, H, W, 3). Returned as they are when nothing is asked.
        median_size: odd size of the median filter; 0 is off.
        equalise: whether to apply CLAHE.
    """
    if not len(crops) or not (median_size or equalise):
        return crops
    steps = list(crops)
    if median_size:
        steps = [median(crop, median_size) for crop in steps]
    if equalise:
        steps = [clahe(crop) for crop in steps]
    return np.stack(steps)


def before_after(
    crops: NDArray[np.uint8], *, median_size: int = 0, equalise: bool = False, side: int = 144
) -> NDArray[np.uint8]:
    """Return a picture of what the filters do: of each face the crop, what the network reads, its edges.

    Args:
        crops: uint8 (faces, H, W) or (faces, H, W, 3) RGB, unfiltered; at least one.
        median_size: odd size of the median filter; 0 is off.
        equalise: whether CLAHE is applied.
        side: of each of the three pictures, in pixels.

    Returns:
        RGB uint8 (faces × side, 3 × side, 3), a row a face.

    Raises:
        OptionError: there is no crop, or `side` is below 1.
    """
    if not len(crops) or side < 1:
        raise OptionError(f"needs one crop or more and a side of at least 1, not {len(crops)} and {side}")
    filtered = preprocess(crops, median_size=median_size, equalise=equalise)
    rows = [
        np.concatenate([_shown(picture, side) for picture in (before, after, edges(after))], axis=1)
        for before, after in zip(crops, filtered, strict=True)
    ]
    return np.concatenate(rows)


def _shown(crop: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Return a crop enlarged pixel by pixel, RGB uint8 (side, side, 3)."""
    rgb = cv2.cvtColor(crop, cv2.COLOR_GRAY2RGB) if crop.ndim == 2 else crop
    return np.asarray(cv2.resize(rgb, (side, side), interpolation=cv2.INTER_NEAREST), np.uint8)
