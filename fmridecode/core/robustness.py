"""How strong an attack a decoder bears."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from fmridecode.core.attacks import pgd
from fmridecode.core.models import Decoder
from fmridecode.core.noise import radius
from fmridecode.core.portions import logits_of
from fmridecode.shapes import Labels, Logits, Maps

STRENGTHS = (0.0, 0.0125, 0.025, 0.05, 0.1, 0.2)
"""Bounds of the attack's noise, in SD per voxel."""


def attacked_logits(
    model: Decoder, x: Maps, labels: Labels, *, strengths: Sequence[float], steps: int
) -> Tensor:
    """Return the logits under projected gradient descent of every strength.

    Parameters
    ----------
    model, x, labels
        What is attacked: ``(batch, *grid)`` maps and their classes.
    strengths
        Bounds in SD per voxel; the L2 bound is that times the root of the number of voxels of the
        mask.
    steps
        Steps of the attack, each 2.5 times the bound over their number.

    Returns
    -------
    Tensor
        ``(strengths, batch, classes)``. A weaker attack that left a smaller margin of the true
        class over the others is kept at a greater strength too, since it lies within that bound:
        what was fooled stays fooled.
    """
    n_voxels = int(model.mask.sum())
    clean = logits_of(model, x)
    found, worst = [], clean
    for strength in strengths:
        bound = radius(strength, n_voxels)
        if bound > 0:
            step = 2.5 * bound / steps
            noise = pgd(model, x, labels, bound=bound, step=step, steps=steps)
            moved = logits_of(model, x + noise)
            harm = _margin(moved, labels) < _margin(worst, labels)
            worst = torch.where(harm[:, None], moved, worst)
        found.append(worst if bound > 0 else clean)
    return torch.stack(found)


def _margin(logits: Logits, labels: Labels) -> Tensor:
    own = functional.one_hot(labels, logits.shape[1]).bool()
    others = logits.masked_fill(own, -torch.inf).amax(dim=1)
    return logits.masked_fill(~own, -torch.inf).amax(dim=1) - others
