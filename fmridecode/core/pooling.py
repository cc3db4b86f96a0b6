"""Average pooling whose backward pass gives the same bits in every run.

On CUDA the library's 3-D pooling does not promise that, so it is written as sums of slices
there. On a CPU it does, and halving is about three times as fast as slices are.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from fmridecode.shapes import Mask

LIBRARY = {2: functional.avg_pool2d, 3: functional.avg_pool3d}


def halve(x: Tensor, n_spatial: int) -> Tensor:
    """Average over windows of 2 with stride 2 along the last axes; an odd last slice is dropped.

    The same numbers as ``avg_pool(x, kernel_size=2, stride=2)``.
    """
    return LIBRARY[n_spatial](x, 2) if x.device.type == "cpu" else halve_by_slices(x, n_spatial)


def halve_by_slices(x: Tensor, n_spatial: int) -> Tensor:
    """Do what `halve` does with sums of slices."""
    for axis in range(x.ndim - n_spatial, x.ndim):
        n = x.shape[axis] // 2
        pairs = x.narrow(axis, 0, 2 * n).reshape(*x.shape[:axis], n, 2, *x.shape[axis + 1 :])
        first, second = pairs.unbind(axis + 1)
        x = first + second
    return x * 0.5**n_spatial


def smooth(x: Tensor, n_spatial: int) -> Tensor:
    """Average over windows of 2 with stride 1; the far edge averages what is inside the grid.

    Nothing shrinks: the same numbers as padding by one at the far edge and leaving the padding
    out of the average, which is what the paper's 64 x 91 x 109 x 91 features imply.
    """
    for axis in range(x.ndim - n_spatial, x.ndim):
        n = x.shape[axis]
        ahead = torch.cat([x.narrow(axis, 1, n - 1), x.narrow(axis, n - 1, 1)], dim=axis)
        x = x + ahead
    return x * 0.5**n_spatial


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


def coarsenings(shape: tuple[int, ...], coarsen_from: int) -> int:
    """Return how often to halve a grid until its shortest axis is below ``coarsen_from``.

    >>> [coarsenings(shape, 48) for shape in [(97, 115, 97), (49, 58, 49), (25, 29, 25)]]
    [2, 1, 0]
    >>> coarsenings((97, 115, 97), 0)
    0
    """
    times = 0
    while 0 < coarsen_from <= min(shape) >> times:
        times += 1
    return times


def blocks_of(mask: Mask, coarsenings: int) -> Tensor:
    """Return the block of a grid halved so often that each voxel of a mask lies in.

    The number after the last block stands for an odd slice, which halving drops.
    """
    sizes = [size >> coarsenings for size in mask.shape]
    numbers = torch.arange(math.prod(sizes), device=mask.device).reshape(sizes)
    for axis, (size, whole) in enumerate(zip(sizes, mask.shape, strict=True)):
        numbers = numbers.repeat_interleave(1 << coarsenings, dim=axis)
        over = whole - (size << coarsenings)
        shape = (*numbers.shape[:axis], over, *numbers.shape[axis + 1 :])
        numbers = torch.cat([numbers, numbers.new_full(shape, math.prod(sizes))], dim=axis)
    return numbers[mask]
