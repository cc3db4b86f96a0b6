"""Bring a map to another grid without its missing voxels bleeding into their neighbours."""

import contextlib
import math
import warnings
from functools import lru_cache
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.separable import separable
from fmridecode.core.grid import Grid

Volume = NDArray[np.float32]
Presence = NDArray[np.bool_]

_TIE = 1e-4
"""A voxel half-way between data and none is as likely to be rounded up as down, and has data."""


def present_in(data: Volume) -> Presence:
    """Say where a map has data: not NaN, not infinite, not exactly 0.

    SPM writes NaN outside its analysis mask, other packages write 0.
    """
    present: Presence = np.isfinite(data) & (data != 0)
    return present


def resample(data: Volume, affine: NDArray[np.float64], grid: Grid) -> tuple[Volume, Presence]:
    """Return a map on a grid, 0 where it has no data, and where it has data.

    Data with zeros for the missing voxels, and the presence of data, are resampled alike (cubic
    splines) and divided. A voxel has data where the presence is at least one half. A map that
    lies on the grid already is returned without resampling.
    """
    present = present_in(data)
    filled = np.where(present, data, np.float32(0))
    if grid.equals(data.shape, affine):
        return filled, present
    values = _onto(filled, affine, grid)
    weight, enough = _weight(np.packbits(present).tobytes(), data.shape, affine.tobytes(), grid)
    out = np.divide(values, weight, out=np.zeros_like(values), where=enough)
    there = enough & np.isfinite(out)
    out[~there] = 0
    return out, there


@lru_cache(maxsize=2)  # maps of one participant mostly have data in the same voxels
def _weight(
    packed: bytes, shape: tuple[int, ...], affine: bytes, grid: Grid
) -> tuple[Volume, Presence]:
    """Return the presence of data on the grid, 0 to 1, and where it is enough."""
    bits = np.frombuffer(packed, dtype=np.uint8)
    present = np.unpackbits(bits, count=math.prod(shape)).reshape(shape).astype(np.float32)
    weight = _onto(present, np.frombuffer(affine).reshape(4, 4), grid)
    enough: Presence = weight >= 0.5 - _TIE
    for each in (weight, enough):
        each.flags.writeable = False
    return weight, enough


def resample_labels(
    labels: NDArray[np.int64], affine: NDArray[np.float64], grid: Grid
) -> NDArray[np.int64]:
    """Return an atlas on a grid: each voxel takes the number of the nearest one, or 0."""
    if grid.equals(labels.shape, affine):
        return labels
    from nilearn.image import resample_img
    from nilearn.image.resampling import BoundingBoxError

    with warnings.catch_warnings(), contextlib.suppress(BoundingBoxError):  # it lies elsewhere
        # a binary atlas is an atlas too
        warnings.filterwarnings("ignore", "Resampling binary images", UserWarning)
        resampled: Any = resample_img(
            nib.Nifti1Image(labels.astype(np.int32), affine),
            target_affine=grid.matrix,
            target_shape=grid.shape,
            interpolation="nearest",
            force_resample=True,
            copy_header=True,
        )
        return np.asarray(resampled.dataobj).astype(np.int64)
    return np.zeros(grid.shape, dtype=np.int64)


def _onto(data: Volume, affine: NDArray[np.float64], grid: Grid) -> Volume:
    along_axes = separable(data.shape, affine, grid.shape, grid.matrix)
    return _by_nilearn(data, affine, grid) if along_axes is None else along_axes(data)


def _by_nilearn(data: Volume, affine: NDArray[np.float64], grid: Grid) -> Volume:
    from nilearn.image import resample_img

    with warnings.catch_warnings():
        # the presence of data is binary, and is to be resampled just as the data are
        warnings.filterwarnings("ignore", "Resampling binary images", UserWarning)
        resampled: Any = resample_img(
            nib.Nifti1Image(data, affine),
            target_affine=grid.matrix,
            target_shape=grid.shape,
            interpolation="continuous",
            force_resample=True,
            copy_header=True,
            clip=False,
            order="C",
        )
    return np.asarray(resampled.dataobj, dtype=np.float32)
