"""Damaged training faces, as weak cameras and far people make them: blurred, coarse, noisy.

The strengths are drawn anew for each face from a range that holds those of the corruption suite
(`mien.evaluation.corruptions`); nothing is tuned to its exact values.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from mien.training.config import TrainingConfig

BLUR = 1 / 24  # greatest deviation, as part of the side
COARSEST = 1 / 3  # smallest side that a face is shrunk to, as part of its own
NOISE = 0.1  # greatest deviation, as part of white


def damage(images: Tensor, config: TrainingConfig, generator: torch.Generator) -> Tensor:
    """Return faces of which a share is blurred, shrunk and enlarged, or noisy.

    Args:
        images: float32 (faces, 1, side, side), in [0, 1].
        config: says which shares; nothing is drawn for a share of 0.
        generator: source of all randomness, on the device of the images.

    Returns:
        float32 (faces, 1, side, side), in [0, 1].
    """
    if config.blur:
        images = _some(images, _blurred(images, generator), config.blur, generator)
    if (
        config.low_resolution
        and torch.rand(1, generator=generator, device=generator.device).item() < config.low_resolution
    ):
        images = _some(images, _coarse(images, generator), 0.5, generator)
    if config.noise:
        images = _some(images, _noisy(images, generator), config.noise, generator)
    return images


def _some(images: Tensor, changed: Tensor, share: float, generator: torch.Generator) -> Tensor:
    chosen = torch.rand(len(images), generator=generator, device=images.device) < share
    return torch.where(chosen.view(-1, 1, 1, 1), changed, images)


def _blurred(images: Tensor, generator: torch.Generator) -> Tensor:
    """Blur each face by a Gaussian of its own, rows and columns one after the other."""
    faces, side = len(images), images.shape[-1]
    spread = torch.rand(faces, 1, generator=generator, device=images.device) * BLUR * side + 1e-3
    radius = max(1, round(3 * BLUR * side))
    weights = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, device=images.device) / spread) ** 2)
    weights = (weights / weights.sum(1, keepdim=True)).unsqueeze(1)
    # Each face is a channel here, so that one call filters all of them, each with its own weights.
    rows = F.pad(images.transpose(0, 1), (0, 0, radius, radius), mode="replicate")
    rows = F.conv2d(rows, weights.unsqueeze(3), groups=faces)
    columns = F.pad(rows, (radius, radius, 0, 0), mode="replicate")
    return F.conv2d(columns, weights.unsqueeze(2), groups=faces).transpose(0, 1)


def _coarse(images: Tensor, generator: torch.Generator) -> Tensor:
    """Shrink all faces to one random size and enlarge them."""
    side = images.shape[-1]
    least = max(1, round(side * COARSEST))
    small = int(torch.randint(least, side + 1, (1,), generator=generator, device=generator.device))
    shrunk = F.interpolate(images, (small, small), mode="bilinear", antialias=True, align_corners=False)
    return F.interpolate(shrunk, (side, side), mode="bilinear", align_corners=False)


def _noisy(images: Tensor, generator: torch.Generator) -> Tensor:
    spread = torch.rand(len(images), 1, 1, 1, generator=generator, device=images.device) * NOISE
    return (images + spread * torch.randn(images.shape, generator=generator, device=images.device)).clamp_(
        0, 1
    )
