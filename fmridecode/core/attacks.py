"""Attacks in the L2 ball: the noise that makes a decoder doubt the true class."""

import torch
from torch.nn import functional

from fmridecode.core.models import Decoder
from fmridecode.core.noise import normalise, project
from fmridecode.core.portions import logits_of, portion, within_memory
from fmridecode.shapes import Labels, Logits, Maps, SoftLabels

AT_ONCE = 512
"""Maps attacked together: examples do not interact, and a full batch would leave the cache."""


def ascent_direction(model: Decoder, x: Maps, targets: Labels | SoftLabels) -> Maps:
    """Return the unit direction that raises each example's cross-entropy.

    The gradients of p and of log p differ by a positive factor, so this is also the direction
    that lowers the probability of the true class; 0 where the gradient is.
    """
    if not len(x):
        return x

    def gradient(few: Maps, goals: Labels | SoftLabels) -> Maps:
        few = few.detach().requires_grad_()
        logits = model(few)
        return torch.autograd.grad(logits, few, _loss_gradient(logits.detach(), goals))[0]

    def run(size: int) -> Maps:
        parts = zip(torch.split(x, size), torch.split(targets, size), strict=True)
        return torch.cat([gradient(*part) for part in parts])

    return normalise(within_memory(run, portion(model, x))[0])


def _loss_gradient(logits: Logits, targets: Labels | SoftLabels) -> Logits:
    """Return the cross-entropy's gradient p - y, up to a positive factor per example.

    Formed without the difference, which is 0 in float32 for a confident decoder: an attack that
    stops there would mistake confidence for robustness.
    """
    n_classes = logits.shape[1]
    if targets.ndim == 1:
        targets = functional.one_hot(targets, n_classes).to(logits.dtype)
    log_p = torch.log_softmax(logits, dim=1).masked_fill(targets == 1, -torch.inf)
    p = torch.exp(log_p - log_p.amax(dim=1, keepdim=True))
    others = p @ (1 - torch.eye(n_classes, dtype=p.dtype, device=p.device))
    return p * (1 - targets) - targets * others


def other_classes(targets: SoftLabels, *, generator: torch.Generator) -> SoftLabels:
    """Draw a class for each example, other than its true (or heaviest) one, as one-hot rows."""
    n_classes = targets.shape[1]
    shift = torch.randint(
        1, n_classes, (len(targets),), generator=generator, device=targets.device
    )
    drawn = (targets.argmax(dim=1) + shift) % n_classes
    return functional.one_hot(drawn, n_classes).to(targets.dtype)


def pgd(
    model: Decoder,
    x: Maps,
    targets: Labels | SoftLabels,
    *,
    bound: float,
    step: float,
    steps: int,
    project_each_step: bool = True,
    toward: bool = False,
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
    toward
        Raise the probability of ``targets`` (a targeted attack) instead of lowering it.
    """
    signed_step = -step if toward else step

    def attack(x: Maps, targets: Labels | SoftLabels) -> Maps:
        noise = torch.zeros_like(x)
        for _ in range(steps):
            noise = noise + signed_step * ascent_direction(model, x + noise, targets)
            if project_each_step:
                noise = project(noise, bound)
        return project(noise, bound)

    parts = zip(torch.split(x, AT_ONCE), torch.split(targets, AT_ONCE), strict=True)
    return torch.cat([attack(*part) for part in parts])


def robust_accuracy(
    model: Decoder, x: Maps, labels: Labels, *, bound: float, steps: int = 20
) -> float:
    """Return the accuracy under PGD with steps of ``2.5 * bound / steps`` (PGD-20 by default)."""
    noise = pgd(model, x, labels, bound=bound, step=2.5 * bound / steps, steps=steps)
    predicted = logits_of(model, x + noise).argmax(dim=1)
    return float((predicted == labels).double().mean())
