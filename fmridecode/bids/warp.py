"""Bring a map into another template's space with TemplateFlow's composite transform."""

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.resampling import Presence, Volume, present_in
from fmridecode.core.grid import Grid
from fmridecode.errors import BadDataError, NoInputError


def warp(
    data: Volume, affine: NDArray[np.float64], grid: Grid, transform: Path
) -> tuple[Volume, Presence]:
    """Return a map on a grid of another space, 0 where it has no data, and where it has data.

    Parameters
    ----------
    transform
        ITK's composite ``.h5``, ``from-A_to-B`` with A the space of the map and B that of the
        grid: it takes points of B to points of A, where the map is looked up by cubic splines.

    Raises
    ------
    NoInputError, BadDataError
        The transform cannot be read.
    """
    from scipy.ndimage import map_coordinates

    points = _points(transform, _stamp(transform), grid)
    voxels = np.linalg.inv(affine) @ np.vstack([points, np.ones_like(points[:1])])
    where = voxels[:3].reshape(3, *grid.shape).astype(np.float32)
    present = present_in(data)
    filled = np.where(present, data, np.float32(0))
    values = map_coordinates(filled, where, order=3, mode="constant")
    weight = map_coordinates(present.astype(np.float32), where, order=3, mode="constant")
    there = weight >= 0.5
    out = np.divide(values, weight, out=np.zeros_like(values), where=there)
    there &= np.isfinite(out)
    return np.where(there, out, np.float32(0)), there


def _stamp(transform: Path) -> tuple[int, int]:
    try:
        stat = transform.stat()
    except OSError as error:
        raise NoInputError(f"{transform} cannot be opened ({error.strerror}).") from error
    return stat.st_size, stat.st_mtime_ns


@lru_cache(maxsize=1)  # seconds a transform, and all maps of a run share one
def _points(transform: Path, stamp: tuple[int, int], grid: Grid) -> NDArray[np.float64]:
    """Return where the voxels of the grid lie in the other space, ``(3, voxels)``, in mm."""
    try:
        from nitransforms.manip import TransformChain

        chain: Any = TransformChain.from_filename(transform, fmt="itk")
        indices = np.indices(grid.shape).reshape(3, -1)
        own = (grid.matrix @ np.vstack([indices, np.ones_like(indices[:1])]))[:3].T
        points = np.asarray(chain.map(own), dtype=np.float64)
    except Exception as error:  # h5py and nitransforms fail on damaged files in many ways
        what = " ".join(str(error).split())[:200] or type(error).__name__
        raise BadDataError(
            f"{transform} cannot be read as a composite transform ({what}); delete it and fetch "
            "it again."
        ) from error
    return points.T
