r"""How the parcels of an atlas interact in a decoder: its second derivative, pooled in parcels.

With the log-odds of class k at the calibrated temperature t,

.. math:: s_k = \log \frac{p_k}{1 - p_k} = \frac{z_k}{t} - \log \sum_{j \ne k} e^{z_j / t},

and P the indicator of the parcels, voxels x parcels, the interactions are
:math:`A = P^T (\nabla^2 s_k) P`, parcels x parcels: by how much the effect on the log-odds of
raising one parcel by one SD of the map changes as the other is raised by one SD.

The gradient of the log-odds is that of the probability but for the factor 1 / (p (1 - p)), and
they do not saturate where p is 0 or 1. Of two classes they are the difference of the logits, so
that a linear decoder has no interactions; of more, its only ones are those of the softmax among
the other classes, :math:`-\sum_j q_j (w_j - \bar w)(w_j - \bar w)^T / t^2`, with q their
probabilities given that it is none of class k.

The Hessian itself is never formed: each column of A takes one product of it with a parcel, by a
second backward pass through the graph of the gradient. Measured on a CPU with the decoders of the
presets, that takes as long as a gradient; a Jacobian-vector product through the gradient takes
three times as long, and eight products at once 0.8 to 2.3 times as long as one after the other,
in several times the memory.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fmridecode.core.models import Decoder
from fmridecode.core.portions import portion, within_memory
from fmridecode.shapes import Labels, Logits, Maps, PerExample


@dataclass(frozen=True, slots=True, kw_only=True)
class Interactions:
    """How parcels interact in every example.

    Parameters
    ----------
    matrix
        ``(batch, parcels, parcels)``, log-odds per SD squared; symmetric.
    effect
        ``(batch, parcels)``, log-odds per SD: what raising each parcel by itself does, to first
        order.
    log_odds
        ``(batch,)``.
    asymmetry
        ``(batch,)`` largest difference between the matrix as computed and its transpose, as a
        share of its largest value: the rounding error. The mean of the two is what is kept.
    """

    matrix: NDArray[np.float64]
    effect: NDArray[np.float64]
    log_odds: NDArray[np.float64]
    asymmetry: NDArray[np.float64]


def log_odds(
    logits: Logits, temperature: float, target: Labels, against: Labels | None = None
) -> PerExample:
    """Return the log-odds of a class of each example, against all others or against one."""
    scaled = logits / temperature
    own = scaled.gather(1, target[:, None])[:, 0]
    if against is not None:
        return own - scaled.gather(1, against[:, None])[:, 0]
    chosen = torch.nn.functional.one_hot(target, logits.shape[1]).bool()
    return own - torch.logsumexp(scaled.masked_fill(chosen, -math.inf), dim=1)


def interactions(
    model: Decoder,
    x: Maps,
    parcels: NDArray[np.int64],
    temperature: float,
    target: Labels,
    against: Labels | None = None,
) -> Interactions:
    """Return how the parcels interact in each map, a few maps at a time.

    Parameters
    ----------
    model
        A decoder with curvature, see `fmridecode.core.softening`. Nothing of it is changed.
    x
        The maps.
    parcels
        ``grid``; the number of each voxel's parcel, 1 to their number, and 0 where there is none.
    target, against
        Class of each map whose log-odds are explained, and the class against which; None for
        all others together.
    """

    def run(size: int) -> list[tuple[NDArray[np.float64], ...]]:
        return [
            _of_few(
                model, x[few], parcels, temperature, target[few],
                None if against is None else against[few],
            )
            for few in torch.split(torch.arange(len(x), device=x.device), size)
        ]  # fmt: skip

    parts = within_memory(model, run, portion(model, x))[0]
    raw, effect, score = (np.concatenate(each) for each in zip(*parts, strict=True))
    turned = raw.transpose(0, 2, 1)
    largest = np.abs(raw).max(axis=(1, 2))
    apart = np.abs(raw - turned).max(axis=(1, 2))
    return Interactions(
        matrix=(raw + turned) / 2,
        effect=effect,
        log_odds=score,
        asymmetry=np.divide(apart, largest, out=np.zeros_like(apart), where=largest > 0),
    )


def _of_few(
    model: Decoder,
    x: Maps,
    parcels: NDArray[np.int64],
    temperature: float,
    target: Labels,
    against: Labels | None,
) -> tuple[NDArray[np.float64], ...]:
    """Return the matrix as computed, the effects and the log-odds of maps that fit the memory."""
    x = x.detach().requires_grad_()
    score = log_odds(model(x), temperature, target, against)
    slope = torch.autograd.grad(score.sum(), x, create_graph=True)[0]
    where = torch.from_numpy(parcels).to(x.device)
    columns = [
        _pooled(_product(slope, x, where == number), parcels)
        for number in range(1, int(parcels.max()) + 1)
    ]
    effect = _pooled(slope.detach(), parcels)
    return np.stack(columns, axis=2), effect, score.detach().double().cpu().numpy()


def _product(slope: Tensor, x: Tensor, parcel: Tensor) -> Tensor:
    """Return the Hessian of each map times the indicator of a parcel; 0 of a linear decoder."""
    if not slope.requires_grad:
        return torch.zeros_like(x)
    direction = parcel.to(x.dtype).expand_as(x)
    return torch.autograd.grad(slope, x, direction, retain_graph=True, materialize_grads=True)[0]


def _pooled(maps: Tensor, parcels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the sums over the voxels of each parcel, ``(batch, parcels)``."""
    where = parcels.ravel()
    n = int(parcels.max()) + 1
    return np.stack(
        [
            np.bincount(where, weights=each, minlength=n)[1:]
            for each in maps.double().flatten(1).cpu().numpy()
        ]
    )
