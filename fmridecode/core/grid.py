"""A voxel grid: where in the world the voxels of a map lie."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Shape and affine of a grid in a named space.

    Parameters
    ----------
    shape
        Voxels along each axis.
    affine
        Rows of the 4 x 4 matrix from voxel indices to millimetres (RAS+).
    space
        The TemplateFlow name of the space, such as ``MNI152NLin2009cAsym``.
    resolution
        The label of the ``res-`` entity, such as ``02``.
    """

    shape: tuple[int, ...]
    affine: tuple[tuple[float, ...], ...]
    space: str
    resolution: str

    @property
    def matrix(self) -> NDArray[np.float64]:
        """The affine as a 4 x 4 array."""
        return np.asarray(self.affine, dtype=np.float64)

    def equals(self, shape: tuple[int, ...], affine: NDArray[np.float64]) -> bool:
        """Whether a map of this shape and affine lies on this very grid (to 1e-4 mm)."""
        return shape == self.shape and bool(np.allclose(affine, self.matrix, atol=1e-4))


def as_rows(affine: NDArray[np.float64]) -> tuple[tuple[float, ...], ...]:
    """Turn an affine matrix into the rows that a `Grid` keeps."""
    return tuple(tuple(float(value) for value in row) for row in affine)
