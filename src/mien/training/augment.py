"""Random changes of a whole batch at once, on the device that trains."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor

from mien.training._damage import damage
from mien.training.config import TrainingConfig


def augment(images: Tensor, config: TrainingConfig, size: int, generator: torch.Generator) -> Tensor:
    """Return randomly changed views of grey faces.

    Args:
        images: float32 (faces, 1, height, width), in [0, 1].
        config: says how strong each change is.
        size: side of the returned crops, in pixels; a smaller one is a random crop, not a smaller picture.
        generator: source of all randomness, on the device of the images.

    Returns:
        float32 (faces, 1, size, size), in [0, 1].
    """
    changed = _affine(images, config, size, generator)
    changed = _light(changed, config.light, generator)
    changed = _gamma(changed, config.gamma, generator)
    changed = damage(changed, config, generator)
    return _erase(changed, config.erase, generator)


# What grows weaker towards the end of a run; what a face has to be read under stays.
CALMED = ("rotation", "scale", "shear", "shift", "erase", "mixup", "cutmix")


def calmed(config: TrainingConfig, epoch: int) -> TrainingConfig:
    """Return the recipe of an epoch, counted from 0: its changes weaken over the last part of the run.

    Training and use then differ less, while the weights settle (as in Touvron et al., NeurIPS 2019, and
    YOLOX, which closes strong changes for the last epochs).
    """
    last = config.calm_fraction * config.epochs
    passed = epoch + 1 - (config.epochs - last)
    if not last or passed <= 0:
        return config
    strength = 1 - (1 - config.calm_strength) * min(1.0, passed / last)
    return replace(config, **{name: getattr(config, name) * strength for name in CALMED})


def _uniform(faces: int, extent: float, generator: torch.Generator) -> Tensor:
    """Return `faces` numbers in [-extent, extent]."""
    return (_chance(faces, generator) * 2 - 1) * extent


def _chance(faces: int, generator: torch.Generator) -> Tensor:
    """Return `faces` numbers in [0, 1)."""
    return torch.rand(faces, generator=generator, device=generator.device)


def _affine(images: Tensor, config: TrainingConfig, size: int, generator: torch.Generator) -> Tensor:
    faces, side = len(images), images.shape[-1]
    angle = _uniform(faces, math.radians(config.rotation), generator)
    scale = 1 + _uniform(faces, config.scale, generator)
    shear = _uniform(faces, config.shear, generator)
    mirror = torch.ones(faces, device=images.device)
    if config.flip:
        mirror -= 2 * (_chance(faces, generator) < 0.5).float()
    # In grid_sample's units the picture spans [-1, 1]; a crop of `size` pixels spans size / side of it.
    part = size / side
    room = (1 - part) + 2 * config.shift
    matrix = torch.stack(
        [
            torch.stack([mirror * torch.cos(angle), shear - torch.sin(angle)], 1),
            torch.stack([mirror * torch.sin(angle), torch.cos(angle)], 1),
        ],
        1,
    ) * (part * scale).view(-1, 1, 1)
    shift = torch.stack([_uniform(faces, room, generator), _uniform(faces, room, generator)], 1).unsqueeze(2)
    grid = F.affine_grid(torch.cat([matrix, shift], 2), [faces, 1, size, size], align_corners=False)
    return F.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _light(images: Tensor, extent: float, generator: torch.Generator) -> Tensor:
    if not extent:
        return images
    shape = (-1, 1, 1, 1)
    contrast = (1 + _uniform(len(images), extent, generator)).view(shape)
    brightness = (1 + _uniform(len(images), extent, generator)).view(shape)
    mean = images.mean((1, 2, 3), keepdim=True)
    return (((images - mean) * contrast + mean) * brightness).clamp_(0, 1)


def _gamma(images: Tensor, extent: float, generator: torch.Generator) -> Tensor:
    if extent <= 1:
        return images
    powers = torch.exp(_uniform(len(images), math.log(extent), generator))
    return images.pow(powers.view(-1, 1, 1, 1))


def _erase(images: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Grey out a rectangle of 2 to 20 % of the area (Zhong et al., AAAI 2020)."""
    if not share:
        return images
    faces, size = len(images), images.shape[-1]
    area = 0.02 + 0.18 * _chance(faces, generator)
    stretch = torch.exp(_uniform(faces, math.log(2.0), generator))
    height, width = (area * stretch).sqrt() * size, (area / stretch).sqrt() * size
    top = _chance(faces, generator) * (size - height)
    left = _chance(faces, generator) * (size - width)
    chosen = _chance(faces, generator) < share
    place = torch.arange(size, device=images.device).float()
    rows = (place >= top[:, None]) & (place < (top + height)[:, None])
    columns = (place >= left[:, None]) & (place < (left + width)[:, None])
    hole = (rows[:, :, None] & columns[:, None, :] & chosen[:, None, None]).unsqueeze(1)
    return torch.where(hole, images.mean((1, 2, 3), keepdim=True), images)


def mix(images: Tensor, targets: Tensor, share: float, partners: Tensor) -> tuple[Tensor, Tensor]:
    """Blend each face and its target with another's (mixup, Zhang et al., ICLR 2018).

    Args:
        images: float32 (faces, 1, height, width).
        targets: float32 (faces, labels), rows summing to 1.
        share: how much of each face stays, in [0, 1].
        partners: which face each is blended with, int64 (faces,).
    """
    return torch.lerp(images[partners], images, share), torch.lerp(targets[partners], targets, share)


def cut_mix(
    images: Tensor, targets: Tensor, share: float, partners: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Lay a rectangle of another face over each, and blend targets by area (Yun et al., ICCV 2019).

    Args:
        images: float32 (faces, 1, height, width).
        targets: float32 (faces, labels), rows summing to 1.
        share: part of the area that each face keeps, in [0, 1].
        partners: whose rectangle each face gets, int64 (faces,).
        generator: source of the rectangle's place.
    """
    height, width = images.shape[2:]
    cut = math.sqrt(1 - share)
    rows, columns = round(height * cut), round(width * cut)
    top = int(torch.randint(0, height - rows + 1, (1,), generator=generator, device=generator.device))
    left = int(torch.randint(0, width - columns + 1, (1,), generator=generator, device=generator.device))
    mixed = images.clone()
    mixed[:, :, top : top + rows, left : left + columns] = images[
        partners, :, top : top + rows, left : left + columns
    ]
    kept = 1 - rows * columns / (height * width)
    return mixed, torch.lerp(targets[partners], targets, kept)
