"""What a laboratory's measurement does to its maps: where they have data, and their noise."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from fmridecode.core.grid import Grid, as_rows
from fmridecode.experiments.fields import smooth, voxel_sizes
from fmridecode.experiments.individuals import Individual

UNEVEN_FWHM, SLOW_FWHM = 40.0, 80.0
"""Widths, in mm, over which the spread of the noise varies and over which it drifts."""

COARSE = 16.0
"""Voxel size, in mm, on which such wide fields are drawn, before they are interpolated."""


def field_of_view(grid: Grid, mask: NDArray[np.bool_], person: Individual) -> NDArray[np.bool_]:
    """Return where in the mask a participant's maps have data."""
    x, y, z = np.ix_(*(np.arange(n) for n in grid.shape))
    mm = [row[0] * x + row[1] * y + row[2] * z + row[3] for row in grid.matrix[:3]]
    acquisition, height = person.acquisition, mm[2]
    low = height[mask].min() + acquisition.cut_below
    high = height[mask].max() - acquisition.cut_above
    seen: NDArray[np.bool_] = mask & (height >= low) & (height <= high)
    for centre, radius in acquisition.losses:
        place = acquisition.place(centre)
        seen &= sum((a - c) ** 2 for a, c in zip(mm, place, strict=True)) > radius**2
    steps = round(acquisition.margin / float(voxel_sizes(grid).mean()))
    return binary_erosion(seen, iterations=steps) if steps else seen


def distorted(
    noise: NDArray[np.float32], grid: Grid, person: Individual, key: tuple[int, ...]
) -> NDArray[np.float32]:
    """Return the noise of a map with its laboratory's tails, uneven spread and drifts."""
    acquisition, config = person.acquisition, person.config
    if acquisition.tails != 1:
        noise = np.sign(noise) * np.abs(noise) ** np.float32(acquisition.tails)
    sd = np.hypot(config.noise_map, np.hypot(config.noise_task, config.noise_participant))
    if acquisition.uneven or acquisition.slow:
        coarse = _coarse(grid)
        white = person.own_normal("distortion", (2, *coarse.shape), *key)
        spread, drift = (
            _stretched(smooth(field, coarse, fwhm=fwhm), grid)
            for field, fwhm in zip(white, (UNEVEN_FWHM, SLOW_FWHM), strict=True)
        )
        noise = noise * np.exp(np.float32(acquisition.uneven) * spread)
        noise += np.float32(acquisition.slow * sd) * drift
    return np.float32(acquisition.noise) * noise


def _coarse(grid: Grid) -> Grid:
    """Return a coarser grid that begins at the same voxel and reaches at least as far."""
    steps = np.maximum(np.round(COARSE / voxel_sizes(grid)), 1)
    shape = tuple(
        int(np.ceil((n - 1) / step)) + 1 for n, step in zip(grid.shape, steps, strict=True)
    )
    affine = as_rows(grid.matrix @ np.diag([*steps, 1.0]))
    return replace(grid, shape=shape, affine=affine)


def _stretched(field: NDArray[np.float32], grid: Grid) -> NDArray[np.float32]:
    """Interpolate a field from the coarse grid, linearly along one axis after the other."""
    steps = np.maximum(np.round(COARSE / voxel_sizes(grid)), 1)
    for axis, step in enumerate(steps):
        places = np.arange(grid.shape[axis]) / step
        known = np.arange(field.shape[axis])
        weights = np.maximum(1 - np.abs(places[:, None] - known), 0).astype(np.float32)
        field = np.moveaxis(np.tensordot(weights, field, axes=(1, axis)), 0, axis)
    return field
