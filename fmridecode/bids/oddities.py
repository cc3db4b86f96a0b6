"""What is odd, though not impossible, about where an image lies."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

_FINEST, _COARSEST = 0.4, 10.0


def find_oddities(image: Any, shape: tuple[int, ...]) -> tuple[str, ...]:
    """Compare sform with qform, and look where the origin lies and how large the voxels are.

    Parameters
    ----------
    image
        A nibabel image whose affine is sound.
    shape
        Its first three axes.
    """
    found = []
    affine = np.asarray(image.affine, dtype=np.float64)
    if min(int(image.header["sform_code"]), int(image.header["qform_code"])) > 0:
        sform, qform = image.header.get_sform(), image.header.get_qform()
        if np.linalg.det(sform[:3, :3]) * np.linalg.det(qform[:3, :3]) < 0:
            found.append("sform and qform disagree about left and right")
        elif (apart := _apart(sform, qform, shape)) > 1:
            found.append(f"sform and qform are up to {apart:.0f} mm apart")
    origin = np.linalg.solve(affine, [0, 0, 0, 1])[:3]
    if (origin <= 0).any() or (origin >= np.asarray(shape) - 1).any():
        found.append("the origin (0, 0, 0 mm) is not inside the image")
    sizes = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    if sizes.min() < _FINEST or sizes.max() > _COARSEST:
        found.append(f"its voxels measure {' x '.join(f'{size:.3g}' for size in sizes)} mm")
    return tuple(found)


def _apart(a: NDArray[np.float64], b: NDArray[np.float64], shape: tuple[int, ...]) -> float:
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in shape], [1])).reshape(4, -1)
    return float(np.linalg.norm(((a - b) @ corners)[:3], axis=0).max())
