"""How many maps pass through a decoder at once.

Examples do not interact, so a batch may pass in portions. On a CPU, portions whose feature maps
stay in the cache are about twice as fast as a whole batch; on a GPU, a batch that does not fit
into its memory is halved until it does. What does not fit by the map alone keeps fewer features
for the backward pass; on a CPU, which cannot tell, the caller says so by `Decoder.recompute`.
"""

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from fmridecode.core.models import Decoder, Ensemble
from fmridecode.errors import UsageError
from fmridecode.shapes import Inside, Logits, Maps, MembersLogits

T = TypeVar("T")

CACHE = 2**25
"""Bytes of the largest feature map of a portion; also the most that glibc hands out again
without having the kernel clear it."""

FEWEST = 2
"""oneDNN convolves batches; torch takes a slower path for most single maps."""


def portion(model: Decoder, x: Tensor) -> int:
    """Return how many maps of ``x`` to pass through a decoder at once; at least 1."""
    numbers = model.feature_numbers()
    if numbers == 0 or x.device.type != "cpu":
        return max(1, len(x))
    numbers = max(numbers, model.mask.numel())  # of the maps, where the layers see coarse ones
    fewest = 1 if model.recomputes else FEWEST  # memory is short
    return min(max(fewest, CACHE // (x.element_size() * numbers)), max(1, len(x)))


def within_memory(model: Decoder, run: Callable[[int], T], size: int) -> tuple[T, int]:
    """Call ``run`` with a portion's size, halved while the GPU's memory does not suffice.

    A decoder that does not fit with one map recomputes features from then on.

    Returns
    -------
    tuple
        What ``run`` returned, and the size that it was called with.

    Raises
    ------
    UsageError
        When not even one map fits.
    """
    while True:
        try:
            return run(size), size
        except torch.OutOfMemoryError as problem:
            if size == 1 and not model.recompute():
                raise UsageError(
                    "The memory of the GPU does not suffice for one map "
                    f"({str(problem).splitlines()[0]}) Use --device cpu, a coarser --resolution, "
                    "or --architecture cnn instead of cnn-stride1."
                ) from None
        # only here are the tensors of the failed call free
        torch.cuda.empty_cache()
        size = (size + 1) // 2


def logits_of(model: Decoder, x: Maps) -> Logits:
    """Return the logits of a batch of any size, without a graph."""
    return _passed(model, x, model, dim=0)


def logits_within(model: Decoder, inside: Inside) -> Logits:
    """Return the logits of maps of which the voxels of the mask are there."""
    return _passed(model, inside, lambda few: model.decode(model.enter(few)), dim=0)


def members_logits_of(model: Ensemble, x: Maps) -> MembersLogits:
    """Return the logits of every member of an ensemble, likewise."""
    return _passed(model, x, model.each, dim=1)


def _passed(model: Decoder, x: Tensor, of_few: Callable[[Tensor], Tensor], *, dim: int) -> Tensor:
    def run(size: int) -> Tensor:
        return torch.cat([of_few(few) for few in torch.split(x, size)], dim=dim)

    with torch.no_grad():
        return within_memory(model, run, portion(model, x))[0]
