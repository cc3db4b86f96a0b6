"""Gaussian blobs and smooth random fields on a voxel grid, in millimetres."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from fmridecode.core.grid import Grid

FWHM_PER_SIGMA = 2 * math.sqrt(2 * math.log(2))
REACH = 3.0
"""Standard deviations beyond which a blob is exactly zero."""


def voxel_sizes(grid: Grid) -> NDArray[np.float64]:
    """Return the length of a voxel along each axis, in millimetres."""
    sizes: NDArray[np.float64] = np.linalg.norm(grid.matrix[:-1, :-1], axis=0)
    return sizes


def add_blob(
    target: NDArray[np.float32],
    grid: Grid,
    *,
    centre: tuple[float, float, float],
    fwhm: float,
    height: float,
) -> None:
    """Add a Gaussian blob to a map, in place; voxels further than `REACH` SDs are untouched.

    Parameters
    ----------
    target
        The map to add to, of the grid's shape.
    grid
        Where the voxels lie. Its axes are orthogonal, in any direction.
    centre, fwhm
        Millimetres.
    height
        The value at the centre.
    """
    sigma = fwhm / FWHM_PER_SIGMA
    voxel = np.linalg.solve(grid.matrix, [*centre, 1.0])[:-1]
    reach = REACH * sigma / voxel_sizes(grid)
    first = np.clip(np.ceil(voxel - reach), 0, grid.shape).astype(int)
    stop = np.clip(np.floor(voxel + reach) + 1, first, grid.shape).astype(int)
    box = tuple(slice(a, b) for a, b in zip(first, stop, strict=True))
    steps = [np.arange(a, b) - v for a, b, v in zip(first, stop, voxel, strict=True)]
    squared = (
        sum(
            (axis * size) ** 2
            for axis, size in zip(np.ix_(*steps), voxel_sizes(grid), strict=True)
        )
        / sigma**2
    )
    blob = np.where(squared <= REACH**2, height * np.exp(-squared / 2), 0.0)
    target[box] += blob.astype(np.float32)


def smooth(white: NDArray[np.float32], grid: Grid, *, fwhm: float) -> NDArray[np.float32]:
    """Smooth white noise of unit SD into a stationary field of unit SD.

    The field wraps around at the grid's edges, so that its variance is the same everywhere, and
    is divided by the root of the kernel's energy, so that it is known and not estimated.

    Parameters
    ----------
    white
        Independent standard normal values, of the grid's shape.
    grid
        Where the voxels lie.
    fwhm
        Full width at half maximum of the Gaussian kernel, in millimetres; 0 for none.
    """
    field = white
    for axis, size in enumerate(voxel_sizes(grid)):
        sigma = fwhm / FWHM_PER_SIGMA / float(size)
        if sigma <= 0:
            continue
        impulse = np.zeros(grid.shape[axis])
        impulse[0] = 1.0
        energy = np.sum(gaussian_filter1d(impulse, sigma, mode="wrap") ** 2)
        field = gaussian_filter1d(field, sigma, axis=axis, mode="wrap") / np.sqrt(energy)
    return np.asarray(field, dtype=np.float32)
