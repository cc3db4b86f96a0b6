"""Attacks in the L2 ball: the noise that makes a decoder doubt the truth."""

from functools import partial

import torch
from torch import Tensor

from fmridecode.core.gradients import gradient_of
from fmridecode.core.models import Decoder
from fmridecode.core.noise import normalise, project
from fmridecode.core.objective import CLASSES, Objective
from fmridecode.core.portions import logits_of, portion, within_memory
from fmridecode.shapes import Inside, Labels, Maps, Numbers, Outputs, Targets

AT_ONCE = 512
"""Maps attacked together: examples do not interact, and a full batch would leave the cache."""


def ascent_direction(
    model: Decoder, x: Maps, targets: Labels | Numbers | Targets, *, objective: Objective = CLASSES
) -> Maps:
    """Return the unit direction that raises each example's loss; 0 where the gradient is."""
    direct = model.direct_weights()
    return model.on_grid(_ascent(model, model.within(x), targets, objective, direct))


def _ascent(
    model: Decoder,
    inside: Inside,
    targets: Labels | Numbers | Targets,
    objective: Objective,
    direct: Tensor | None,
) -> Inside:
    """Do what `ascent_direction` does within the mask."""
    if not len(inside):
        return inside

    def gradient(few: Inside, goals: Labels | Numbers | Targets) -> Inside:
        return gradient_of(model, few, partial(objective.upward, targets=goals), direct=direct)

    def run(size: int) -> Inside:
        parts = zip(torch.split(inside, size), torch.split(targets, size), strict=True)
        return torch.cat([gradient(*part) for part in parts])

    return normalise(within_memory(model, run, portion(model, inside))[0])


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

    def attack(inside: Inside, targets: Labels | Numbers | Targets) -> Inside:
        noise = torch.zeros_like(inside)
        for _ in range(steps):
            away = _ascent(model, inside + noise, targets, objective, direct)
            noise = noise + signed_step * away
            if project_each_step:
                noise = project(noise, bound)
        return project(noise, bound)

    direct, inside = model.direct_weights(), model.within(x)
    parts = zip(torch.split(inside, AT_ONCE), torch.split(targets, AT_ONCE), strict=True)
    return model.on_grid(torch.cat([attack(*part) for part in parts]))


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
