"""Average pooling written as sums of slices.

cuDNN's backward pass of 3-D average pooling is not deterministic; slicing and adding is, and
on a CPU it is faster than the library's pooling.
"""

import torch
from torch import Tensor


def halve(x: Tensor, n_spatial: int) -> Tensor:
    """Average over windows of 2 with stride 2 along the last axes; an odd last slice is dropped.

    The same numbers as ``avg_pool(x, kernel_size=2, stride=2)``.
    """
    for axis in range(x.ndim - n_spatial, x.ndim):
        n = x.shape[axis] // 2
        pairs = x.narrow(axis, 0, 2 * n).unflatten(axis, (n, 2))
        x = (pairs.select(axis + 1, 0) + pairs.select(axis + 1, 1)) / 2
    return x


def smooth(x: Tensor, n_spatial: int) -> Tensor:
    """Average over windows of 2 with stride 1; the far edge averages what is inside the grid.

    Nothing shrinks: the same numbers as padding by one at the far edge and leaving the padding
    out of the average, which is what the paper's 64 x 91 x 109 x 91 features imply.
    """
    for axis in range(x.ndim - n_spatial, x.ndim):
        n = x.shape[axis]
        ahead = torch.cat([x.narrow(axis, 1, n - 1), x.narrow(axis, n - 1, 1)], dim=axis)
        x = (x + ahead) / 2
    return x


def bearable_halvings(shape: tuple[int, ...], wanted: int) -> int:
    """Return how many times a grid can be halved, at most ``wanted``, keeping 2 voxels an axis.

    >>> bearable_halvings((91, 109, 91), 5)
    5
    >>> bearable_halvings((24, 29, 24), 5)
    3
    """
    smallest, bearable = min(shape), 0
    while bearable < wanted and smallest // 2 >= 2:
        smallest, bearable = smallest // 2, bearable + 1
    return bearable
