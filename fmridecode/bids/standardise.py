"""From the source maps of one example to its z-scored map."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.images import load_image
from fmridecode.bids.plausibility import Quality, judge
from fmridecode.bids.resampling import Presence, Volume, present_in, resample
from fmridecode.bids.warp import warp
from fmridecode.core.grid import Grid
from fmridecode.errors import BadDataError

RULE = 5
"""Raise it whenever the numbers that this module makes change: it is part of the cache's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One image that goes into an example.

    Parameters
    ----------
    weight
        Its share of the mean; the absolute values of an example's weights add up to 1.
    transform
        What brings it into the space of the grid, if it lies in another one.
    """

    path: Path
    weight: float
    transform: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standardised:
    """One finished map: float32 on the grid.

    Parameters
    ----------
    missing
        Share of the brain without data.
    quality
        What there is to say of each source.
    """

    values: Volume
    missing: float
    quality: tuple[Quality, ...]


def standardise(
    sources: Sequence[Source],
    *,
    grid: Grid,
    brain: NDArray[np.bool_],
    zscore: Literal["brain", "volume"],
) -> Standardised:
    r"""Average the sources, weighted, where all have data, then z-score, :math:`(x - \bar x) / s`.

    ``brain``: mean and population SD over the voxels of the brain that have data; 0 elsewhere.
    ``volume``: over the whole grid, background (as 0) included, as the authors' code does.

    Raises
    ------
    NoInputError, BadDataError
        A source cannot be read, is constant, or has no voxel in the brain.
    """
    voxels = np.flatnonzero(brain if zscore == "brain" else np.ones_like(brain))
    total = np.zeros(len(voxels), dtype=np.float64)
    present: Presence = np.ones(len(voxels), dtype=np.bool_)
    quality = []
    for source in sources:
        values, there, odd = _on_grid(source, grid)
        path = source.path
        if not (there & brain).any():
            raise BadDataError(
                f"{path} has no data in the brain mask of {grid.space}; check its orientation and "
                "space, or leave the participant out."
            )
        quality.append(judge(values, there, brain=brain, grid=grid, odd=odd))
        total += source.weight * values.ravel()[voxels].astype(np.float64)
        present &= there.ravel()[voxels]
    if zscore == "brain":
        in_brain = present
        covered, mean = (voxels, total) if present.all() else (voxels[present], total[present])
    else:
        in_brain = present[brain.ravel()]
        covered, mean = voxels, np.where(present, total, 0.0)
    out: Volume = np.zeros(grid.shape, dtype=np.float32)
    out.ravel()[covered] = _zscored(mean, [source.path for source in sources])
    missing = 1.0 - np.count_nonzero(in_brain) / max(len(in_brain), 1)
    return Standardised(values=out, missing=missing, quality=tuple(quality))


def _on_grid(source: Source, grid: Grid) -> tuple[Volume, Presence, tuple[str, ...]]:
    path, image = source.path, load_image(source.path)
    data = image.data
    there = data if (present := present_in(data)).all() else data[present]
    if there.size == 0:
        raise BadDataError(
            f"{path} has no data: every voxel is NaN, infinite or 0; make it again, or leave the "
            "participant out."
        )
    if there.min() == there.max():
        raise BadDataError(
            f"{path} is constant ({there.flat[0]:g} wherever it has data), so it cannot be "
            "z-scored; make it again, or leave the participant out."
        )
    if source.transform is None:
        return *resample(data, image.affine, grid), image.oddities
    return *warp(data, image.affine, grid, source.transform), image.oddities


def _zscored(mean: NDArray[np.float64], sources: Sequence[Path]) -> NDArray[np.float64]:
    centre, spread = (mean.mean(), mean.std()) if mean.size else (0.0, 0.0)
    if not spread > 1e-6 * np.abs(mean).max(initial=0.0):
        names = ", ".join(map(str, sources))
        verb = "is" if len(sources) == 1 else "average to a map that is"
        raise BadDataError(
            f"{names} {verb} constant within the brain mask, so it cannot be z-scored; make it "
            "again, or leave the participant out."
        )
    return (mean - centre) / spread
