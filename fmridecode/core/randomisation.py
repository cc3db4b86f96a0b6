"""Would a map survive random weights? Decoders randomised layer by layer, the last one first.

J. Adebayo et al. 2018, arXiv:1810.03292. A map that stays alike when the weights are random says
nothing of what the decoder learnt.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata
from torch import Tensor, nn

from fmridecode.core.criteria import pearson
from fmridecode.core.models import DIRECTION, GAIN, Decoder, Ensemble

SURVIVES = 0.5
"""A method whose maps keep a mean rank correlation above this through full randomisation is
marked: it shows the input, or the architecture, and not what was learnt."""

WINDOW = 1.5
TRUNCATE = 3.5
"""SD of the window of `structural_similarity` in voxels, and where it ends, in SD."""

RANGE = 6.0
"""Span of values that `structural_similarity` reckons with: three root mean squares either way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Randomised:
    """A decoder of which some layers are random.

    Parameters
    ----------
    depth
        How many layers are random, counted from the last.
    layer
        The one that was randomised last.
    model
        The decoder.
    """

    depth: int
    layer: str
    model: Decoder


def cascade(model: Decoder, *, generator: torch.Generator) -> Iterator[Randomised]:
    """Yield copies of a decoder with its last layer random, its last two, and so on to all.

    A random layer has fresh weights from the distribution that layers start from (Glorot-uniform,
    He-normal), also where training started from zero, times what gives them the trained weights'
    root mean square: paths that are added weigh what they weighed, and no layer falls silent.
    Biases become 0. All members of an ensemble are randomised, each with weights of its own.

    Parameters
    ----------
    model
        The decoder; it is not changed.
    generator
        Source of the weights, on the CPU.

    Yields
    ------
    Randomised
        None for a decoder without weights (``correlation``).
    """
    found = copy.deepcopy(model)
    members = list(found.members) if isinstance(found, Ensemble) else [found]
    groups = [layer_groups(cast("Decoder", member)) for member in members]
    for depth, of_members in enumerate(zip(*groups, strict=True), start=1):
        for _, layers in of_members:
            for layer in layers:
                _randomise(layer, generator)
        yield Randomised(depth=depth, layer=of_members[0][0], model=copy.deepcopy(found))


def n_layers(model: Decoder) -> int:
    """Return how many steps `cascade` takes."""
    one = model.members[0] if isinstance(model, Ensemble) else model
    return len(layer_groups(cast("Decoder", one)))


def layer_groups(model: Decoder) -> list[tuple[str, list[nn.Module]]]:
    """Return the layers of one decoder from the last to the first, those side by side together.

    The dense layers whose sum is the logits are one.
    """
    last: list[nn.Module] = list(model.logit_layers())
    kinds = (nn.Linear, nn.Conv2d, nn.Conv3d)
    before = [
        each
        for each in model.modules()
        if isinstance(each, kinds) and not any(each is other for other in last)
    ]
    names = [
        "dense" if isinstance(each, nn.Linear) else f"convolution {k}"
        for k, each in enumerate(before, start=1)
    ]
    groups: list[tuple[str, list[nn.Module]]] = [("logits", last)] if last else []
    for name, each in reversed(list(zip(names, before, strict=True))):
        groups.append((name, [each]))
    return groups


def _randomise(layer: nn.Module, generator: torch.Generator) -> None:
    parameters = dict(layer.named_parameters())
    with torch.no_grad():
        if isinstance(layer, nn.Linear):
            fresh = torch.empty(layer.weight.shape, dtype=layer.weight.dtype)
            nn.init.xavier_uniform_(fresh, generator=generator)
            layer.weight.copy_(_as_large(fresh.to(layer.weight.device), layer.weight))
        else:  # weight normalisation takes the length of the filters away
            direction, gain = parameters[DIRECTION], parameters[GAIN]
            fresh = torch.empty(direction.shape, dtype=direction.dtype)
            nn.init.kaiming_normal_(fresh, generator=generator)
            direction.copy_(fresh)
            gain.fill_(float(gain.square().mean().sqrt()))
        nn.init.zeros_(parameters["bias"])


def _as_large(fresh: Tensor, trained: Tensor) -> Tensor:
    size = trained.square().mean().sqrt()
    return fresh * (size / fresh.square().mean().sqrt()) if size > 0 else fresh


@dataclass(frozen=True, slots=True, kw_only=True)
class Similarity:
    """How alike two maps are; NaN where one of them is constant.

    Parameters
    ----------
    rank_correlation, rank_correlation_absolute
        Spearman correlation over the voxels of the mask, of the values and of their magnitudes.
    ssim
        `structural_similarity`.
    """

    rank_correlation: float
    rank_correlation_absolute: float
    ssim: float


class Original:
    """A map that others are compared with; what is needed of it is computed once.

    Parameters
    ----------
    values
        ``grid``; only the voxels of the mask count.
    mask
        True in the brain.
    """

    def __init__(self, values: NDArray[np.floating], mask: NDArray[np.bool_]) -> None:
        self._mask = mask
        self._values = values
        self._ranks = _both_ranks(values[mask])

    def compare(self, other: NDArray[np.floating]) -> Similarity:
        """Return how alike another map is, whatever the scales of the two."""
        signed, absolute = (
            pearson(a, b) for a, b in zip(self._ranks, _both_ranks(other[self._mask]), strict=True)
        )
        return Similarity(
            rank_correlation=signed,
            rank_correlation_absolute=absolute,
            ssim=structural_similarity(self._values, other, self._mask),
        )


def _both_ranks(values: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return rankdata(values), rankdata(np.abs(values))


def structural_similarity(
    a: NDArray[np.floating], b: NDArray[np.floating], mask: NDArray[np.bool_]
) -> float:
    r"""Return the mean structural similarity of two maps over the voxels of the mask.

    The product of the contrast and structure terms of SSIM (Z. Wang et al. 2004,
    doi:10.1109/TIP.2003.819861),

    .. math:: (2 \sigma_{xy} + C) / (\sigma_x^2 + \sigma_y^2 + C), \quad C = (0.03 L)^2,

    in as many dimensions as the maps have: variances and covariance are taken under a Gaussian
    window of SD `WINDOW` voxels. Maps have no scale, so each is divided by its root mean square
    over the mask, and L is `RANGE`. Voxels outside the mask are 0. The luminance term is left
    out: it is made for brightness, which is positive; where local means are of opposite signs it
    turns an inverted map into a similar one.

    Returns
    -------
    float
        1 for maps that differ in a positive factor only, about -1 for a map and its inverse; NaN
        where a map is 0.
    """
    scaled = []
    for values in (a, b):
        inside = np.where(mask, values, 0).astype(np.float64)
        size = np.sqrt(np.mean(inside[mask] ** 2))
        if size == 0:
            return float("nan")
        scaled.append(inside / size)
    x, y = scaled
    mean_x, mean_y = _windowed(x), _windowed(y)
    variances = _windowed(x * x) - mean_x**2 + _windowed(y * y) - mean_y**2
    covariance = _windowed(x * y) - mean_x * mean_y
    c = (0.03 * RANGE) ** 2
    return float(((2 * covariance + c) / (variances + c))[mask].mean())


def _windowed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(gaussian_filter(values, WINDOW, truncate=TRUNCATE))
