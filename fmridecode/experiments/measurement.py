"""What a laboratory's measurement does to its maps: where they have data, and their noise."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion

from fmridecode.core.grid import Grid
from fmridecode.experiments.fields import smooth, voxel_sizes
from fmridecode.experiments.individuals import Individual

UNEVEN_FWHM, SLOW_FWHM = 40.0, 80.0
"""Widths, in mm, over which the spread of the noise varies and over which it drifts."""


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
        white = person.own_normal("distortion", (2, *grid.shape), *key)
        spread = smooth(white[0], grid, fwhm=UNEVEN_FWHM)
        drift = smooth(white[1], grid, fwhm=SLOW_FWHM)
        noise = noise * np.exp(np.float32(acquisition.uneven) * spread)
        noise += np.float32(acquisition.slow * sd) * drift
    return np.float32(acquisition.noise) * noise
