"""From the source maps of one example to its z-scored map."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.images import read_image
from fmridecode.bids.resampling import Presence, Volume, present_in, resample
from fmridecode.core.grid import Grid
from fmridecode.errors import BadDataError

RULE = 1
"""Raise it whenever the numbers that this module makes change: it is part of the cache's key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standardised:
    """One finished map: float32 on the grid, and the share of the brain it misses."""

    values: Volume
    missing: float


def standardise(
    sources: Sequence[Path],
    *,
    grid: Grid,
    brain: NDArray[np.bool_],
    zscore: Literal["brain", "volume"],
) -> Standardised:
    r"""Average the sources where all have data, then z-score, :math:`(x - \bar x) / s`.

    ``brain``: mean and population SD over the voxels of the brain that have data; 0 elsewhere.
    ``volume``: over the whole grid, background (as 0) included, as the authors' code does.

    Raises
    ------
    NoInputError, BadDataError
        A source cannot be read, is constant, or has no voxel in the brain.
    """
    total = np.zeros(grid.shape, dtype=np.float64)
    present: Presence = np.ones(grid.shape, dtype=np.bool_)
    for path in sources:
        values, there = _on_grid(path, grid)
        if not (there & brain).any():
            raise BadDataError(
                f"{path} has no data in the brain mask of {grid.space}; check its orientation and "
                "space, or leave the participant out."
            )
        total += values
        present &= there
    mean = np.where(present, total / len(sources), 0.0)
    covered = present & brain if zscore == "brain" else np.ones_like(present)
    missing = 1.0 - float((present & brain).sum()) / max(int(brain.sum()), 1)
    return Standardised(values=_zscored(mean, covered, sources), missing=missing)


def _on_grid(path: Path, grid: Grid) -> tuple[Volume, Presence]:
    data, affine = read_image(path)
    there = data[present_in(data)]
    if there.size == 0:
        raise BadDataError(
            f"{path} has no data: every voxel is NaN, infinite or 0; make it again, or leave the "
            "participant out."
        )
    if there.min() == there.max():
        raise BadDataError(
            f"{path} is constant ({there[0]:g} wherever it has data), so it cannot be z-scored; "
            "make it again, or leave the participant out."
        )
    return resample(data, affine, grid)


def _zscored(
    mean: NDArray[np.float64], covered: NDArray[np.bool_], sources: Sequence[Path]
) -> Volume:
    inside = mean[covered]
    centre, spread = (inside.mean(), inside.std()) if inside.size else (0.0, 0.0)
    if not spread > 1e-6 * np.abs(inside).max(initial=0.0):
        names = ", ".join(map(str, sources))
        verb = "is" if len(sources) == 1 else "average to a map that is"
        raise BadDataError(
            f"{names} {verb} constant within the brain mask, so it cannot be z-scored; make it "
            "again, or leave the participant out."
        )
    out: Volume = np.zeros(mean.shape, dtype=np.float32)
    out[covered] = (inside - centre) / spread
    return out
