"""The geometry of noise: directions, projections and draws in the L2 ball of an example."""

import math

import torch
from torch import Tensor

from fmridecode.shapes import Maps, Mask, PerExample


def radius(epsilon: float, n_voxels: int) -> float:
    """Return the L2 radius for a bound given in SD per voxel: ``epsilon * sqrt(V)``."""
    return epsilon * math.sqrt(n_voxels)


def norms(x: Maps) -> PerExample:
    """Return each example's L2 norm."""
    lengths: Tensor = torch.linalg.vector_norm(x.flatten(1), dim=1)
    return lengths


def per_example(values: PerExample, like: Maps) -> Tensor:
    """Shape one number per example so that it multiplies that example's map."""
    return values.reshape(-1, *([1] * (like.ndim - 1)))


def normalise(x: Maps) -> Maps:
    """Scale each example to unit L2 norm; an all-zero example stays zero."""
    length = norms(x)
    return x / per_example(torch.where(length > 0, length, torch.ones_like(length)), x)


def project(x: Maps, bound: float) -> Maps:
    """Project each example onto the L2 ball of radius ``bound``."""
    length = norms(x)
    scale = torch.where(length > bound, bound / length, torch.ones_like(length))
    return x * per_example(scale, x)


def gaussian(like: Maps, mask: Mask, *, generator: torch.Generator) -> Maps:
    """Draw standard normal noise inside the mask, 0 outside."""
    noise = torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)
    return noise * mask


def uniform_in_ball(like: Maps, mask: Mask, bound: float, *, generator: torch.Generator) -> Maps:
    """Draw uniformly in the L2 ball over the mask's V voxels: ``bound * u^(1/V) * z / |z|``."""
    direction = normalise(gaussian(like, mask, generator=generator))
    u = torch.rand(len(like), generator=generator, device=like.device, dtype=like.dtype)
    length = bound * u ** (1 / int(mask.sum()))
    return direction * per_example(length, like)
