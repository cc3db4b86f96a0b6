"""Attacks in the L2 ball: the noise that makes a decoder doubt the truth."""

import torch

from fmridecode.core.models import Decoder
from fmridecode.core.noise import normalise, project
from fmridecode.core.objective import CLASSES, Objective
from fmridecode.core.portions import logits_of, portion, within_memory
from fmridecode.shapes import Labels, Maps, Numbers, Outputs, Targets

AT_ONCE = 512
"""Maps attacked together: examples do not interact, and a full batch would leave the cache."""


def ascent_direction(
    model: Decoder, x: Maps, targets: Labels | Numbers | Targets, *, objective: Objective = CLASSES
) -> Maps:
    """Return the unit direction that raises each example's loss; 0 where the gradient is."""
    if not len(x):
        return x

    def gradient(few: Maps, goals: Labels | Numbers | Targets) -> Maps:
        few = few.detach().requires_grad_()
        outputs = model(few)
        return torch.autograd.grad(outputs, few, objective.upward(outputs.detach(), goals))[0]

    def run(size: int) -> Maps:
        parts = zip(torch.split(x, size), torch.split(targets, size), strict=True)
        return torch.cat([gradient(*part) for part in parts])

    return normalise(within_memory(run, portion(model, x))[0])


def pgd(
    model: Decoder,
    x: Maps,
    targets: Labels | Numbers | Targets,
    *,
    bound: float,
    step: float,
    steps: int,
    project_each_step: bool = True,
    toward: bool = False,
    objective: Objective = CLASSES,
) -> Maps:
    """Return the noise of projected gradient descent on the probability of the truth.

    Parameters
    ----------
    model, x, targets
        What is attacked: ``(batch, *grid)`` maps and their classes, or targets.
    bound, step
        L2 radius of the ball and length of a step, in the units of the maps.
    steps
        Number of steps, from no noise.
    project_each_step
        Project after each step, or only after the last.
    toward
        Raise the probability of ``targets`` (a targeted attack) instead of lowering it.
    objective
        What the loss is.
    """
    signed_step = -step if toward else step

    def attack(x: Maps, targets: Labels | Numbers | Targets) -> Maps:
        noise = torch.zeros_like(x)
        for _ in range(steps):
            away = ascent_direction(model, x + noise, targets, objective=objective)
            noise = noise + signed_step * away
            if project_each_step:
                noise = project(noise, bound)
        return project(noise, bound)

    parts = zip(torch.split(x, AT_ONCE), torch.split(targets, AT_ONCE), strict=True)
    return torch.cat([attack(*part) for part in parts])


def outputs_under_attack(
    model: Decoder,
    x: Maps,
    targets: Labels | Numbers | Targets,
    *,
    bound: float,
    steps: int = 20,
    objective: Objective = CLASSES,
) -> Outputs:
    """Return the outputs under PGD with steps of ``2.5 * bound / steps`` (PGD-20 by default)."""
    step = 2.5 * bound / steps
    noise = pgd(model, x, targets, bound=bound, step=step, steps=steps, objective=objective)
    return logits_of(model, x + noise)
