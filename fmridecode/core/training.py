"""Training: Algorithm 1 of the paper, and the schemes that it is compared with."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fmridecode.core.attacks import ascent_direction, pgd
from fmridecode.core.models import Decoder
from fmridecode.core.noise import (
    gaussian,
    normalise,
    per_example,
    project,
    radius,
    uniform_in_ball,
)
from fmridecode.core.objective import CLASSES, Objective
from fmridecode.core.peers import ALONE, Peers
from fmridecode.core.portions import portion, within_memory
from fmridecode.core.settings import TrainingConfig, chosen
from fmridecode.shapes import Maps, PerExample, Targets


class Trainer:
    """The state of one training: a model, its optimiser, and the source of its noise."""

    def __init__(
        self,
        model: Decoder,
        config: TrainingConfig,
        n_updates: int,
        generator: torch.Generator,
        peers: Peers = ALONE,
        *,
        objective: Objective = CLASSES,
    ) -> None:
        self.model = model
        self.objective = objective
        self.peers = peers
        self.n_whole = 0
        self.config = config
        self.generator = generator
        self.bound = _bound(config, model)
        self.targeted = config.attack == "targeted"
        groups = _groups(model, config)
        self.parameters = [each for group in groups for each in group["params"]]
        self.optimiser = torch.optim.Adam(groups, lr=config.learning_rate, fused=True)
        self.rates = [float(group["lr"]) for group in self.optimiser.param_groups]
        self.n_updates = n_updates
        self.updates = 0
        self.portion = 0

    def update(
        self, x: Maps, targets: Targets, *, attack: bool = False
    ) -> tuple[float, Maps | None]:
        """Take one step of Adam; with ``attack`` also return the direction that raises the loss.

        One forward and one backward pass give both gradients; the direction is taken at the
        weights before the step.
        """
        self.optimiser.zero_grad()  # room for the new ones
        (loss, gradients, upward), self.portion = within_memory(
            self.model,
            lambda size: self._gradients(x.detach(), targets, attack, size),
            self.portion or portion(self.model, self.like_whole(x)),
        )
        loss, *gradients = self.peers.add([loss, *gradients])
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self._set_learning_rate()
        self.optimiser.step()
        self.updates += 1
        return float(loss), None if upward is None else normalise(upward)

    def _gradients(
        self, x: Maps, targets: Targets, attack: bool, size: int
    ) -> tuple[Tensor, list[Tensor], Maps | None]:
        """Return the mean loss, its penalised gradients, and that of the input when attacking.

        Of this process's share: sums over processes are those of the whole minibatch.
        """
        if not len(x):
            none = [torch.zeros_like(each) for each in self.parameters]
            return x.new_zeros(()), none, x if attack else None
        l2 = self.config.l2 if self.peers.last else 0.0  # its share is never empty
        weights = self.model.weights() if l2 else []
        penalty = l2 * sum(each.square().sum() for each in weights if not each.is_leaf)
        total = x.new_zeros(())
        gradients: list[Tensor] = []
        upward: list[Tensor] = []
        for few, goals in zip(torch.split(x, size), torch.split(targets, size), strict=True):
            few.requires_grad_(attack)
            loss = self.objective.loss(self.model(few), goals) / self.whole(len(x))
            wanted = [*self.parameters, few] if attack else self.parameters
            found = list(torch.autograd.grad(loss if gradients else loss + penalty, wanted))
            if attack:
                upward.append(found.pop())
            gradients = _added(gradients, found) if gradients else found
            total += loss.detach()
        penalised = {id(each) for each in weights if each.is_leaf}
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            if id(parameter) in penalised:  # by hand, without copies of a large weight
                gradient.add_(parameter.detach(), alpha=2 * l2)
        return total, gradients, torch.cat(upward) if attack else None

    def goal(self, targets: Targets) -> Targets:
        """Return the targets that the attack is about: the true ones, or others to aim at."""
        if not self.targeted:
            return targets
        whole = targets.new_zeros(self.whole(len(targets)), targets.shape[1])
        whole[self.own] = targets
        return self.objective.others(whole, generator=self.generator)[self.own]

    def begin(self, n: int) -> slice:
        """Begin a minibatch of ``n`` examples, and return this process's share of it."""
        self.n_whole = n
        return self.own

    @property
    def own(self) -> slice:
        """The rows of this process among what is drawn for a whole minibatch.

        Every process draws for all, so that the draws do not depend on how many there are.
        """
        return slice(None) if self.peers.alone else self.peers.rows(self.n_whole)

    def whole(self, n_own: int) -> int:
        """Return the size of the whole minibatch, of which this process has ``n_own``."""
        return n_own if self.peers.alone else self.n_whole

    def like_whole(self, x: Maps) -> Maps:
        """Return something of the shape of all maps of the minibatch, without their memory."""
        return x.new_empty(()).expand(self.whole(len(x)), *x.shape[1:])

    def uniform(self, x: Maps) -> PerExample:
        """Draw a number between 0 and 1 for each example."""
        n = self.whole(len(x))
        drawn = torch.rand(n, generator=self.generator, device=x.device, dtype=x.dtype)
        return drawn[self.own]

    def direction(self, x: Maps, goal: Targets) -> Maps:
        """Return the unit direction of the attack at the present weights."""
        away = ascent_direction(self.model, x, goal, objective=self.objective)
        return -away if self.targeted else away

    def _set_learning_rate(self) -> None:
        if self.config.schedule == "cosine":
            course = (1 + math.cos(math.pi * self.updates / self.n_updates)) / 2
            for group, rate in zip(self.optimiser.param_groups, self.rates, strict=True):
                group["lr"] = rate * course


def _added(gradients: list[Tensor], found: list[Tensor]) -> list[Tensor]:
    """Return the sums, the large ones in place; small ones may share their memory."""
    return [a.add_(b) if a.ndim > 1 else a + b for a, b in zip(gradients, found, strict=True)]


def _groups(model: Decoder, config: TrainingConfig) -> list[dict[str, Any]]:
    """Set apart the weights of single voxels and, after `--init-from`, those taken over.

    A step of Adam changes every weight by the learning rate, and with it a logit by as much as
    there are voxels; dividing by their number makes the rate mean the same on every grid. Frozen
    layers are in no group.
    """
    apart = model.voxel_weights() if config.voxel_rate > 0 else []
    taken = [list(each.parameters()) for each in model.convolutions() if config.init_from]
    over = [each for layer in taken[config.freeze_layers :] for each in layer]
    elsewhere = {id(each) for each in [*apart, *(each for layer in taken for each in layer)]}
    others = [each for each in model.parameters() if id(each) not in elsewhere]
    groups: list[dict[str, Any]] = [{"params": others}]
    if over:
        groups.append({"params": over, "lr": config.learning_rate * config.transfer_rate})
    if apart:
        groups.append({"params": apart, "lr": config.voxel_rate / int(model.mask.sum())})
    return groups


def _standard(trainer: Trainer, x: Maps, targets: Targets) -> float:
    return trainer.update(x, targets)[0]


def _random_noise(trainer: Trainer, x: Maps, targets: Targets) -> float:
    mask, whole = trainer.model.mask, trainer.like_whole(x)
    noise = uniform_in_ball(whole, mask, trainer.bound, generator=trainer.generator)
    return trainer.update(x + noise[trainer.own], targets)[0]


def _adversarial(trainer: Trainer, x: Maps, targets: Targets) -> float:
    """Algorithm 1, lines 4 to 13: m hops on one minibatch.

    The noise after the last hop would be zeroed at the next minibatch, so it is not formed.
    """
    config = trainer.config
    shared = config.gradient_reuse and not trainer.targeted
    goal, noise = trainer.goal(targets), torch.zeros_like(x)
    for _ in range(config.steps - 1):
        _, direction = trainer.update(x + noise, targets, attack=shared)
        if direction is None:
            direction = trainer.direction(x + noise, goal)
        nu = trainer.bound * trainer.uniform(x)
        noise = project(noise + per_example(nu, x) * direction, trainer.bound)
    return trainer.update(x + noise, targets)[0]


def _pgd(trainer: Trainer, x: Maps, targets: Targets) -> float:
    config = trainer.config
    if config.clean_every_second and trainer.updates % 2 == 1:
        return trainer.update(x, targets)[0]
    noise = pgd(
        trainer.model,
        x,
        trainer.goal(targets),
        bound=trainer.bound,
        step=radius(config.pgd_step, int(trainer.model.mask.sum())),
        steps=config.steps,
        project_each_step=config.project_each_step,
        toward=trainer.targeted,
        objective=trainer.objective,
    )
    return trainer.update(x + noise, targets)[0]


SCHEMES: dict[str, Callable[[Trainer, Maps, Targets], float]] = {
    "standard": _standard,
    "random-noise": _random_noise,
    "adversarial": _adversarial,
    "pgd": _pgd,
}


def passes(config: TrainingConfig) -> int:
    """Return the passes over the data: hops repeat a minibatch, so they divide the epochs."""
    hops = config.steps if config.scheme == "adversarial" else 1
    return max(1, round(config.epochs / hops))


Load = Callable[[NDArray[np.int64]], tuple[Maps, Targets]]


def minibatch(trainer: Trainer, load: Load, batch: NDArray[np.int64]) -> tuple[Maps, Targets]:
    """Load this process's share of a minibatch, mix pairs of its examples and add input noise.

    Mixing is that of H. Zhang et al. 2018, arXiv:1710.09412. ``load`` returns the maps and the
    targets at some positions.
    """
    config, generator = trainer.config, trainer.generator
    own = trainer.begin(len(batch))
    x, targets = load(batch[own])
    if config.mixup:
        other = torch.randperm(len(batch), generator=generator, device=x.device)[own]
        share = trainer.uniform(x)
        others, their_targets = load(batch[other.cpu().numpy()])
        x = torch.lerp(others, x, per_example(share, x))
        targets = torch.lerp(their_targets, targets, share[:, None])
    if config.input_noise > 0:
        mask, whole = trainer.model.mask, trainer.like_whole(x)
        x = x + config.input_noise * gaussian(whole, mask, generator=generator)[own]
    return x, targets


def _bound(config: TrainingConfig, model: Decoder) -> float:
    return radius(chosen(config.epsilon, "--epsilon"), int(model.mask.sum()))
