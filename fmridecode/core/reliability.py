"""How stable maps are: over decoders, halves of the participants, and tiny input noise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fmridecode.core.criteria import pearson
from fmridecode.core.saliency import Saliency
from fmridecode.shapes import Maps, Mask, PerExample

RADIUS = 0.02
"""Largest change of a voxel in `sensitivity`, in SD of the input; captum's default."""


def mean_correlation(maps: Sequence[NDArray[np.floating]]) -> float:
    """Return the mean Pearson correlation over all pairs of maps; NaN where none is defined."""
    return _mean([pearson(a, b) for a, b in combinations(maps, 2)])


def correlation_with(one: NDArray[np.floating], others: Sequence[NDArray[np.floating]]) -> float:
    """Return the mean Pearson correlation of a map with each of others; NaN where none is."""
    return _mean([pearson(one, other) for other in others])


def _mean(values: Sequence[float]) -> float:
    finite = [value for value in values if np.isfinite(value)]
    return float(np.mean(finite)) if finite else float("nan")


def sensitivity(
    explain: Callable[[Maps], Saliency],
    x: Maps,
    mask: Mask,
    *,
    draws: int,
    generator: torch.Generator,
    radius: float = RADIUS,
) -> PerExample:
    r"""Return how much maps change under tiny noise on the input, at most over some draws.

    :math:`\max_d \lVert S(x + n_d) - S(x) \rVert / \lVert S(x) \rVert`, with :math:`n_d` uniform
    in plus or minus ``radius`` in every voxel of the mask (max-sensitivity, C.-K. Yeh et al. 2019,
    arXiv:1901.09392, over the norm of the map).

    Parameters
    ----------
    explain
        Returns the saliency of one class an example; its own randomness is the same at each call.
    x
        ``(batch, *grid)``.
    mask
        Voxels that are changed.
    draws
        Number of noises.
    generator
        Source of the noise.

    Returns
    -------
    Tensor
        ``(batch,)``; NaN where a map is 0.
    """
    own = explain(x)
    largest = x.new_zeros(len(x), dtype=torch.float64)
    for _ in range(draws):
        noise = torch.rand(x.shape, generator=generator, device=x.device, dtype=x.dtype)
        moved = explain(x + radius * (2 * noise - 1) * mask)
        largest = torch.maximum(largest, _relative_change(own, moved))
    return largest


def _relative_change(own: Saliency, moved: Saliency) -> Tensor:
    """Compare with the factors of both relative to that of the first: they may underflow."""
    ratio = torch.exp((moved.log_factor - own.log_factor).double()).flatten()
    before, after = own.inside.double().flatten(1), moved.inside.double().flatten(1)
    change: Tensor = (after * ratio[:, None] - before).norm(dim=1) / before.norm(dim=1)
    return change


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitHalf:
    """How alike the mean maps of two halves of the participants are.

    Parameters
    ----------
    correlation
        Mean Pearson correlation over random halves.
    reliability
        Mean of the Spearman-Brown correction 2r / (1 + r): what the mean map of all participants
        would correlate with that of as many others.
    low, high
        Middle 95 % of the corrected correlations over the random halves.
    """

    correlation: float
    reliability: float
    low: float
    high: float


def spearman_brown(correlation: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the reliability of the whole from that of its halves, 2r / (1 + r)."""
    r = np.asarray(correlation, dtype=np.float64)
    return 2 * r / (1 + r)


def split_half(
    values: NDArray[np.floating], *, splits: int, generator: np.random.Generator
) -> SplitHalf:
    """Correlate the mean maps of random halves of the participants.

    Parameters
    ----------
    values
        ``(participants, voxels)``, at least two participants; of an odd number one is left out of
        each split.
    splits
        Random halves.
    generator
        Source of the halves.
    """
    half = len(values) // 2
    found = []
    for _ in range(splits):
        order = generator.permutation(len(values))
        first, second = order[:half], order[half : 2 * half]
        found.append(pearson(values[first].mean(axis=0), values[second].mean(axis=0)))
    r = np.array(found)
    corrected = spearman_brown(r)
    low, high = np.nanpercentile(corrected, [2.5, 97.5])
    return SplitHalf(
        correlation=float(np.nanmean(r)),
        reliability=float(np.nanmean(corrected)),
        low=float(low),
        high=float(high),
    )


def correlations_with_others(
    values: NDArray[np.floating], others: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return the correlation of each participant's map with the mean of some others'.

    Parameters
    ----------
    values
        ``(participants, voxels)``.
    others
        ``(participants, participants)``: with whom each one (a row) is compared.

    Returns
    -------
    ndarray
        ``(participants,)``; NaN where there is nobody to compare with.
    """
    found = np.full(len(values), np.nan)
    for k, chosen in enumerate(others):
        if chosen.any():
            found[k] = pearson(values[k], values[chosen].mean(axis=0, dtype=np.float64))
    return found
