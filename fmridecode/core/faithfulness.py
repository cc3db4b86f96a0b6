"""Does the decoder use the voxels that a map marks? Deletion and insertion curves.

V. Petsiuk et al. 2018, arXiv:1806.07421. Voxels of the mask are replaced in the order of a map;
a map is faithful where the score falls sooner (deletion), or is regained sooner (insertion), than
in an order that knows nothing of the decoder.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.integrate import trapezoid
from scipy.ndimage import gaussian_filter
from torch import Tensor

from fmridecode.core.models import Decoder
from fmridecode.core.portions import logits_within

AT_ONCE = 64
"""Maps decoded together."""


def ranks(values: NDArray[np.floating]) -> NDArray[np.int64]:
    """Return each voxel's place in descending order, ``(voxels,)``, the first 0."""
    order = np.argsort(-values, kind="stable")
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return places


def phase_randomised(
    values: NDArray[np.floating], *, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Return a random map on the whole grid with the same amplitude spectrum: as smooth as this.

    J. Theiler et al. 1992, doi:10.1016/0167-2789(92)90102-S. The phases are those of white noise,
    so that the map is real.
    """
    noise = np.fft.fftn(generator.standard_normal(values.shape))
    phases = noise / np.maximum(np.abs(noise), np.finfo(np.float64).tiny)
    return np.asarray(np.fft.ifftn(np.abs(np.fft.fftn(values)) * phases).real)


def smoothed(
    x: NDArray[np.floating], mask: NDArray[np.bool_], *, sigma: float
) -> NDArray[np.float64]:
    """Smooth a map within the mask by a Gaussian of ``sigma`` voxels; 0 outside.

    Each voxel is a weighted mean of voxels of the mask only, so that a constant stays constant.
    """
    inside = gaussian_filter(mask.astype(np.float64), sigma, mode="constant")
    total = gaussian_filter(np.where(mask, x, 0.0), sigma, mode="constant")
    return np.where(mask, total / np.maximum(inside, np.finfo(np.float64).tiny), 0.0)


def curves(
    model: Decoder,
    x: Tensor,
    replacement: Tensor,
    places: NDArray[np.int64],
    *,
    steps: int,
    insertion: bool,
) -> Tensor:
    """Return the logits as voxels are replaced step by step.

    Parameters
    ----------
    model
        The decoder.
    x, replacement
        ``grid``: one map, and what its voxels are replaced by.
    places
        ``(orders, voxels of the mask)``: the place of each voxel, from `ranks`.
    steps
        Steps of equal numbers of voxels.
    insertion
        Start from all voxels replaced and put them back, instead.

    Returns
    -------
    Tensor
        ``(orders, steps + 1, classes)``.
    """
    n_orders, n_voxels = places.shape
    bounds = torch.linspace(0, n_voxels, steps + 1, device=x.device).round()
    place = torch.from_numpy(places).to(x.device)
    first = place[:, None, :] < bounds[:, None]  # orders, steps + 1, voxels
    between = (~first if insertion else first)[:, 1:-1].flatten(0, 1)
    ends = torch.tensor([[insertion], [not insertion]], device=x.device).expand(2, n_voxels)
    replaced = torch.cat([ends, between])  # the ends are those of every order
    own, other = x[model.mask], replacement[model.mask]

    logits = torch.cat(
        [
            logits_within(model, torch.where(rows, other, own))
            for rows in torch.split(replaced, AT_ONCE)
        ]
    )
    start, end = (each.expand(n_orders, 1, -1) for each in logits[:2])
    return torch.cat([start, logits[2:].reshape(n_orders, steps - 1, -1), end], dim=1)


def area(curve: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the area under curves along the last axis, by trapezoids; the whole width is 1."""
    heights = np.asarray(curve, dtype=np.float64)
    return np.asarray(trapezoid(heights, dx=1 / (heights.shape[-1] - 1), axis=-1))
