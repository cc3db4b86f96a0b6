"""Gradients of logits at the voxels of the mask, a few maps at a time.

Passes of a network end where maps enter it, before any weight: on the grid that its layers see,
which may be coarse. From there to the voxels, the gradients of several logits go together.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from fmridecode.core.models import Decoder, Entered
from fmridecode.core.portions import portion, within_memory
from fmridecode.shapes import Inside, Logits

Pair = tuple[Tensor, Tensor]


def gradient_of(
    model: Decoder,
    inside: Inside,
    upward_of: Callable[[Logits], Tensor],
    *,
    direct: Tensor | None,
) -> Inside:
    """Return the gradient of one combination of the logits an example.

    Parameters
    ----------
    model, inside
        The decoder, and ``(batch, voxels of the mask)``.
    upward_of
        Makes the combinations, ``(batch, classes)``, of the logits.
    direct
        What ``model.direct_weights()`` returned.
    """
    entered = model.enter(inside)
    if entered.features is None:
        with torch.no_grad():
            upward, deep = upward_of(model.decode(entered)), None
    else:
        features = entered.features.detach().requires_grad_()
        logits = model.decode(replace(entered, features=features))
        upward = upward_of(logits.detach())
        deep = torch.autograd.grad(logits, features, upward)[0][:, None]
    return model.leave(entered, upward[:, None], deep, direct)[:, 0]


def deep_gradients(
    model: Decoder, entered: Entered, combine: Callable[[Tensor], Tensor]
) -> tuple[Logits, Tensor | None]:
    """Return the logits, and gradients of combinations of them at the features, if there are any.

    One forward pass, and one backward pass a combination; no gradient of any weight is formed.
    ``combine`` makes the combinations, ``(rows, classes)``, of the identity.
    """
    if entered.features is None:
        with torch.no_grad():
            return model.decode(entered), None
    features = entered.features.detach().requires_grad_()
    logits = model.decode(replace(entered, features=features))
    rows = combine(torch.eye(logits.shape[1], dtype=logits.dtype, device=logits.device))
    found = features.new_empty(len(features), len(rows), *features.shape[1:])
    for k, row in enumerate(rows):
        kept = k < len(rows) - 1
        upward = row.expand_as(logits)
        found[:, k] = torch.autograd.grad(logits, features, upward, retain_graph=kept)[0]
    return logits.detach(), found


def in_portions(of_few: Callable[..., Pair], model: Decoder, *batch: Tensor) -> Pair:
    """Call a function of a few maps, and of what belongs to each, until all are through.

    Parameters
    ----------
    of_few
        Takes as many rows of each of ``batch``, and returns two tensors with a row for each.
    batch
        The maps first.
    """

    def run(size: int) -> Pair:
        if size >= len(batch[0]):
            return of_few(*batch)
        parts = zip(*(torch.split(each, size) for each in batch), strict=True)
        first, second = zip(*(of_few(*part) for part in parts), strict=True)
        return torch.cat(first), torch.cat(second)

    return within_memory(model, run, portion(model, batch[0]))[0]
