"""Whether a map is like those that trained a decoder, by a few simple statistics."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from fmridecode.core.origin import Usual

FLOORS = {"log10_sd": 0.1, "fwhm": 0.5, "negative": 0.02, "overlap": 0.02}
"""The least spread of each statistic: log10 of the SD before the z-score, smoothness in mm, the
shares of negative voxels and of the mask with data. Training maps that happen to agree in one
must not make every other map a stranger."""

UNLIKE = 5.0
"""From this distance on a map is called unlike the training maps."""

Statistics = Mapping[str, NDArray[np.float64]]
"""Name of a statistic to its value for every map; NaN where it is not known."""


def fwhm(values: NDArray[np.floating], mask: NDArray[np.bool_], sizes: Sequence[float]) -> float:
    r"""Estimate the smoothness of a map, in mm: the FWHM of the Gaussian that would give it.

    White noise smoothed with a Gaussian of SD s correlates by exp(-d^2 / (4 s^2)) over a distance
    d; with r the correlation of neighbours, FWHM = d * sqrt(2 ln 2 / -ln r). The geometric mean
    over the axes is returned, NaN for a constant map.

    Parameters
    ----------
    values, mask
        ``grid``; voxels of exactly 0, without data, are left out.
    sizes
        The voxels' edges in mm.
    """
    inside = mask & (values != 0)
    x = np.where(inside, values, 0.0).astype(np.float64)
    variance = x[inside].var() if inside.any() else 0.0
    if variance == 0:
        return float("nan")
    logs = []
    for axis, size in enumerate(sizes):
        before = (slice(None),) * axis
        ahead, behind = (*before, slice(1, None)), (*before, slice(None, -1))
        both = inside[ahead] & inside[behind]
        steps = x[ahead][both] - x[behind][both]
        if not len(steps):
            continue
        r = np.clip(1 - np.mean(steps**2) / (2 * variance), 1e-6, 1 - 1e-9)
        logs.append(np.log(size * np.sqrt(2 * np.log(2) / -np.log(r))))
    return float(np.exp(np.mean(logs))) if logs else float("nan")


def usual(statistics: Statistics) -> tuple[Usual, ...]:
    """Return median and spread of each statistic over training maps, without unknown ones."""
    found = []
    for name, values in statistics.items():
        known = values[np.isfinite(values)]
        if len(known):
            median = float(np.median(known))
            spread = 1.4826 * float(np.median(np.abs(known - median)))
            found.append(Usual(statistic=name, median=median, spread=spread))
    return tuple(found)


def unlike(
    statistics: Statistics, training: Sequence[Usual]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return each map's largest distance from the training maps, and in which statistic.

    The distance is that from the median, in spreads. NaN and an empty name where nothing is
    known.
    """
    n_maps = len(next(iter(statistics.values())))
    names = [each.statistic for each in training if each.statistic in statistics]
    if not names:
        return np.full(n_maps, np.nan), ("",) * n_maps
    distances = np.stack(
        [
            np.abs(statistics[each.statistic] - each.median)
            / max(each.spread, FLOORS.get(each.statistic, 0.0), 1e-12)
            for each in training
            if each.statistic in statistics
        ]
    )
    known = np.asarray(np.isfinite(distances).any(axis=0))
    largest = np.where(np.isfinite(distances), distances, -1.0)
    position = largest.argmax(axis=0)
    values = np.where(known, largest.max(axis=0), np.nan)
    return values, tuple(
        names[k] if there else "" for k, there in zip(position, known, strict=True)
    )
