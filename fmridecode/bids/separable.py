"""Resampling between grids with parallel axes: one matrix an axis, made once per pair of grids.

Cubic spline interpolation is linear in the data and separable, so that three products of matrices
do what takes ``scipy.ndimage.affine_transform`` a walk over all voxels, tens of times as long.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform

_PARALLEL = 1e-5
"""The most that a step along one axis may move along another, in source voxels."""
_KEPT = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Separable:
    """How to resample a volume along its axes.

    Parameters
    ----------
    order
        The source axis that each target axis runs along.
    matrices
        For each target axis, ``(target voxels, source voxels)``.
    """

    order: tuple[int, ...]
    matrices: tuple[NDArray[np.float32], ...]

    def __call__(self, data: NDArray[np.float32]) -> NDArray[np.float32]:
        """Resample one volume; 0 outside of the source's field of view."""
        first, second, third = self.matrices
        out = np.ascontiguousarray(data.transpose(self.order)) @ third.T
        out = second @ out
        shape = out.shape[1:]
        return (first @ out.reshape(len(out), -1)).reshape(-1, *shape)


def separable(
    shape: tuple[int, ...],
    affine: NDArray[np.float64],
    target_shape: tuple[int, ...],
    target_affine: NDArray[np.float64],
) -> Separable | None:
    """Return what brings a volume to another grid, or None where their axes are not parallel."""
    steps = np.linalg.solve(affine, target_affine)
    linear, offset = steps[:3, :3], steps[:3, 3]
    order = [int(axis) for axis in np.abs(linear).argmax(axis=0)]
    if sorted(order) != [0, 1, 2]:
        return None
    across = linear.copy()
    across[order, range(3)] = 0
    if np.abs(across).max() > _PARALLEL:
        return None
    matrices = tuple(
        _matrix(shape[axis], target_shape[k], float(linear[axis, k]), float(offset[axis]))
        for k, axis in enumerate(order)
    )
    return Separable(order=tuple(order), matrices=matrices)


@lru_cache(maxsize=_KEPT)
def _matrix(n_source: int, n_target: int, step: float, start: float) -> NDArray[np.float32]:
    """Return the matrix of cubic interpolation at ``start + step * i``, as scipy does it."""
    columns = [
        affine_transform(unit, [step], offset=start, output_shape=(n_target,), order=3)
        for unit in np.eye(n_source)
    ]
    matrix = np.stack(columns, axis=1).astype(np.float32)
    matrix.flags.writeable = False
    return matrix
