"""Attacks in the L2 ball: the noise that makes a decoder doubt the true class."""

import torch
from torch import Tensor
from torch.nn import functional

from fmridecode.core.models import Decoder
from fmridecode.core.noise import normalise, project
from fmridecode.shapes import Labels, Maps, SoftLabels


def ascent_direction(model: Decoder, x: Maps, targets: Labels | SoftLabels) -> Maps:
    """Return the unit direction that raises each example's cross-entropy.

    The gradients of p and of log p differ by a positive factor, so this is also the direction
    that lowers the probability of the true class; 0 where the gradient is.
    """
    x = x.detach().requires_grad_()
    loss = functional.cross_entropy(model(x), targets, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, x)
    return normalise(gradient)


def pgd(
    model: Decoder,
    x: Maps,
    targets: Labels | SoftLabels,
    *,
    bound: float,
    step: float,
    steps: int,
    project_each_step: bool = True,
) -> Maps:
    """Return the noise of projected gradient descent on the probability of the true class.

    Parameters
    ----------
    model, x, targets
        What is attacked: ``(batch, *grid)`` maps and their classes.
    bound, step
        L2 radius of the ball and length of a step, in the units of the maps.
    steps
        Number of steps, from no noise.
    project_each_step
        Project after each step, or only after the last.
    """
    noise = torch.zeros_like(x)
    for _ in range(steps):
        noise = noise + step * ascent_direction(model, x + noise, targets)
        if project_each_step:
            noise = project(noise, bound)
    return project(noise, bound)


def robust_accuracy(
    model: Decoder, x: Maps, labels: Labels, *, bound: float, steps: int = 20
) -> float:
    """Return the accuracy under PGD with steps of ``2.5 * bound / steps`` (PGD-20 by default)."""
    noise = pgd(model, x, labels, bound=bound, step=2.5 * bound / steps, steps=steps)
    with torch.no_grad():
        predicted: Tensor = model(x + noise).argmax(dim=1)
    return float((predicted == labels).double().mean())
