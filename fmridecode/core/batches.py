"""Maps as tensors on a device, in batches drawn by index."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from fmridecode.core.maps import UNKNOWN
from fmridecode.errors import BadDataError
from fmridecode.shapes import Labels, Maps, Numbers, SoftLabels

_AT_ONCE = 64
"""Maps read together where all of them are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """Some examples of a map set.

    Parameters
    ----------
    values
        All maps, ``(examples, *grid)``; may be memory-mapped, or in half precision.
    labels
        All class indices; `UNKNOWN` for a map of none of the classes, about which a decoder
        learns to be undecided. Or, in float32, the standardised numbers to be decoded.
    indices
        The examples that belong here.
    device
        Where the batches go.
    held
        The maps of ``indices``, in their order, if they are kept on the device.
    """

    values: NDArray[np.floating]
    labels: NDArray[np.int64] | NDArray[np.float32]
    indices: NDArray[np.int64]
    device: torch.device
    held: Tensor | None = None

    def __post_init__(self) -> None:
        if self.held is not None and len(self.held) != len(self.indices):
            raise ValueError(f"{len(self.held)} maps are kept of {len(self.indices)} examples")

    def __len__(self) -> int:
        return len(self.indices)

    def take(self, positions: NDArray[np.int64] | slice) -> tuple[Maps, Labels | Numbers]:
        """Return the maps and labels at these positions among `indices`."""
        chosen = self.indices[positions]
        if self.held is not None:
            places = np.arange(len(self))[positions]
            x = self.held[torch.from_numpy(places).to(self.device)]
            return x, torch.from_numpy(self.labels[chosen]).to(self.device)
        x = torch.from_numpy(np.ascontiguousarray(self.values[chosen], dtype=np.float32))
        y = torch.from_numpy(self.labels[chosen])
        return x.to(self.device), y.to(self.device)

    def kept(self, *, room: int) -> "Batches":
        """Return the same examples, kept on the device if they take at most ``room`` bytes there.

        In float32, so that batches are the same to the bit as those that are sent one by one.
        """
        shape = (len(self), *self.values.shape[1:])
        if self.held is not None or 4 * math.prod(shape) > room:
            return self
        held = torch.empty(shape, device=self.device)
        for start in range(0, len(self), _AT_ONCE):
            few = slice(start, start + _AT_ONCE)
            held[few] = self.take(few)[0]
        return replace(self, held=held)

    def in_order(self, size: int) -> Iterator[tuple[Maps, Labels | Numbers]]:
        """Yield all examples in order, ``size`` at a time."""
        for start in range(0, len(self), size):
            yield self.take(slice(start, start + size))

    def shuffled(self, *, generator: torch.Generator) -> NDArray[np.int64]:
        """Return the positions of all examples in random order."""
        device = generator.device
        return torch.randperm(len(self), generator=generator, device=device).cpu().numpy()


def soft_labels(labels: Labels, n_classes: int, *, dtype: torch.dtype) -> SoftLabels:
    """Return one-hot rows, uniform ones for `UNKNOWN`.

    Cross-entropy with a uniform target is outlier exposure (D. Hendrycks et al. 2019,
    arXiv:1812.04606).
    """
    rows = functional.one_hot(labels.clamp(min=0), n_classes).to(dtype)
    rows[labels == UNKNOWN] = 1 / n_classes
    return rows


def absent_classes(batches: Batches, n_classes: int) -> list[int]:
    """Return the classes of which there is no example."""
    found = set(batches.labels[batches.indices].tolist())
    return [k for k in range(n_classes) if k not in found]


def class_means(batches: Batches, n_classes: int) -> Tensor:
    """Return the mean map of each class, ``(classes, *grid)``.

    Raises
    ------
    BadDataError
        When a class has no example to average.
    """
    absent = absent_classes(batches, n_classes)
    if absent:
        raise BadDataError(
            f"No training map of class {', '.join(map(str, absent))} (counted from 0, of "
            f"{n_classes}), so that it has no mean: add participants who have it, or leave the "
            "class out."
        )
    means = [
        _mean(batches.values, batches.indices[batches.labels[batches.indices] == k])
        for k in range(n_classes)
    ]
    return torch.from_numpy(np.stack(means))


def _mean(values: NDArray[np.float32], indices: NDArray[np.int64]) -> NDArray[np.float32]:
    """Average maps, reading a few at a time: all of them may not fit into memory."""
    total = np.zeros(values.shape[1:])
    for few in np.array_split(indices, math.ceil(len(indices) / _AT_ONCE)):
        total += values[few].sum(axis=0, dtype=np.float64)
    return (total / len(indices)).astype(values.dtype)
