r"""A copy of a decoder whose rectified units are rounded off, so that it has curvature.

A rectified unit is linear on either side of 0, and its second derivative is 0 but for the kink,
where it has none. Softplus,

.. math:: \log(1 + e^{\beta a}) / \beta,

is the rectified unit averaged over logistic noise of scale :math:`1 / \beta` (A.-K. Dombrowski
et al. 2019, arXiv:1906.07983). With a small :math:`\beta` it is another decoder; with a large
one only the few units that are almost exactly at their kink are curved, and the curvature of the
whole is noise.
"""

import copy
from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from fmridecode.core.models import ConvolutionalDecoder, Decoder, DenseDecoder, Ensemble
from fmridecode.core.portions import logits_of
from fmridecode.shapes import Maps

CLOSE = 0.05
"""Change of the logits, as a share of their range, that still counts as the same decoder."""

BETAS = tuple(2.0**k for k in range(13))


@dataclass(frozen=True, slots=True, kw_only=True)
class Softened:
    """A decoder without kinks, and how far it is from the one it was made of.

    Parameters
    ----------
    model
        The decoder; the very one it was made of where that has no kinks.
    beta
        Sharpness of softplus, per unit of what goes into it; None where there are no kinks.
    logit_change
        Largest change of a logit, less the mean over classes, as a share of the largest range of
        the logits of a map.
    same_class
        Share of the maps whose most probable class is the same.
    """

    model: Decoder
    beta: float | None
    logit_change: float
    same_class: float


def soften(model: Decoder, x: Maps) -> Softened:
    """Round off as much as some maps bear: the smallest beta by which logits change by `CLOSE`.

    Parameters
    ----------
    model
        Not changed; the copy shares its weights.
    x
        The maps whose curvature is wanted.
    """
    if not is_rectified(model):
        return Softened(model=model, beta=None, logit_change=0.0, same_class=1.0)
    before = logits_of(model, x).double()
    before = before - before.mean(dim=1, keepdim=True)
    span = float((before.amax(dim=1) - before.amin(dim=1)).max())
    for beta in BETAS:
        soft = softened(model, beta)
        after = logits_of(soft, x).double()
        change = float((after - after.mean(dim=1, keepdim=True) - before).abs().max())
        if change <= CLOSE * span:
            break
    same = (after.argmax(dim=1) == before.argmax(dim=1)).double().mean()
    return Softened(
        model=soft,
        beta=beta,
        logit_change=change / span if span > 0 else 0.0,
        same_class=float(same),
    )


def is_rectified(model: Decoder) -> bool:
    """Whether a decoder has kinks."""
    first = model.members[0] if isinstance(model, Ensemble) else model
    return getattr(first, "activation", None) is not None


def softened(model: Decoder, beta: float) -> Decoder:
    """Return a copy with softplus in place of the rectified units; the weights are shared."""
    if isinstance(model, Ensemble):
        return Ensemble([softened(cast("Decoder", each), beta) for each in model.members])
    if not is_rectified(model):
        return model
    soft = cast("ConvolutionalDecoder | DenseDecoder", copy.copy(model))  # its layers are shared

    def softplus(features: Tensor) -> Tensor:
        return nn.functional.softplus(features, beta=beta)

    soft.activation = softplus
    soft.recomputes = False  # each of many products would make all features anew
    return soft
