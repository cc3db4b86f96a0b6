"""The course of a training: its epochs, and which of them is kept."""

import copy
import math
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fmridecode.core.attacks import outputs_under_attack
from fmridecode.core.batches import Batches, class_means
from fmridecode.core.checkpoint import Checkpoint, copied, optimiser_state, restore_optimiser
from fmridecode.core.history import Epoch, History
from fmridecode.core.models import CorrelationDecoder, Decoder
from fmridecode.core.objective import CLASSES, Objective
from fmridecode.core.peers import ALONE, Peers
from fmridecode.core.portions import logits_of
from fmridecode.core.settings import TrainingConfig
from fmridecode.core.training import SCHEMES, Trainer, minibatch, passes
from fmridecode.errors import UsageError
from fmridecode.shapes import Maps, Targets

ROBUST_EXAMPLES = 32
"""Validation maps, at most, that PGD-20 attacks after each epoch, spread evenly over all."""

Capture = Callable[[], Checkpoint]


def fit(
    model: Decoder,
    train: Batches,
    validation: Batches,
    config: TrainingConfig,
    *,
    n_outputs: int,
    generator: torch.Generator,
    objective: Objective = CLASSES,
    on_epoch: Callable[[Epoch], None] = lambda _: None,
    n_attacked: int = ROBUST_EXAMPLES,
    start: Checkpoint | None = None,
    on_batch: Callable[[Capture], None] = lambda _: None,
    peers: Peers = ALONE,
) -> History:
    """Train a decoder in place and keep the epoch with the lowest validation loss.

    Parameters
    ----------
    model
        A freshly built decoder; holds the selected weights afterwards. A correlation decoder
        only remembers the class means.
    train, validation
        Examples of different participants.
    config
        Scheme and recipe.
    n_outputs
        Number of outputs: of classes, one logit each.
    generator
        Source of the order, the noise and the mixtures, on the device of the model.
    objective
        The loss, and what is attacked.
    on_epoch
        Called after each epoch, for progress bars and logs; of those before ``start`` too.
    n_attacked
        Validation maps, at most, that PGD-20 attacks after each epoch; 0 for none.
    start
        Where an earlier training of the same decoder on the same maps stopped.
    on_batch
        Called after each minibatch and each epoch with a function that returns a checkpoint;
        what it raises ends the training.
    peers
        Processes that train together, each with the same arguments; all hold the same weights
        afterwards. Minibatches are those of one process.

    Raises
    ------
    UsageError
        When the loss is no longer finite.
    BadDataError
        When a correlation decoder lacks a class to average.
    """
    if isinstance(model, CorrelationDecoder):
        model.remember(class_means(train, n_outputs).to(model.mask.device))
        trainer = Trainer(model, config, 0, generator, peers, objective=objective)
        only = _evaluate(trainer, validation, 0, math.nan, 0)
        on_epoch(only)
        return History(epochs=(only,), selected=0, n_attacked=0)
    n_attacked = min(n_attacked, len(_scorable(validation, objective)))
    trainer = Trainer(
        model, config, _n_updates(train, config), generator, peers, objective=objective
    )
    course = _Course(trainer, train, n_outputs)
    if start is not None:
        course.restore(start)
        for epoch in start.epochs:
            on_epoch(epoch)
    while len(course.epochs) < passes(config):
        for batch in course.rest_of_epoch():
            course.take(batch)
            on_batch(course.checkpoint)
        course.finish_epoch(validation, n_attacked)
        on_epoch(course.epochs[-1])
        on_batch(course.checkpoint)
    model.load_state_dict(course.best)
    selected = min(course.epochs, key=lambda each: each.validation_loss).epoch
    return History(epochs=tuple(course.epochs), selected=selected, n_attacked=n_attacked)


class _Course:
    """Where a training stands, between two minibatches."""

    def __init__(self, trainer: Trainer, train: Batches, n_outputs: int) -> None:
        self.size = trainer.config.batch_size or len(train)
        self.trainer = trainer
        self.train = train
        self.n_outputs = n_outputs
        self.held: tuple[NDArray[np.int64], tuple[Maps, Targets]] | None = None
        self.order = np.empty(0, dtype=np.int64)
        self.losses: list[float] = []
        self.epochs: list[Epoch] = []
        self.best: dict[str, Tensor] = {}

    def rest_of_epoch(self) -> Iterator[NDArray[np.int64]]:
        """Yield the positions of the minibatches that this epoch still has to take."""
        if not len(self.order):
            if self.trainer.config.batch_size:
                self.order = self.train.shuffled(generator=self.trainer.generator)
            else:
                self.order = np.arange(len(self.train))
        for first in range(len(self.losses) * self.size, len(self.order), self.size):
            yield self.order[first : first + self.size]

    def take(self, batch: NDArray[np.int64]) -> None:
        """Update the weights by one minibatch."""
        scheme = SCHEMES[self.trainer.config.scheme]
        self.losses.append(scheme(self.trainer, *minibatch(self.trainer, self._load, batch)))

    def _load(self, positions: NDArray[np.int64]) -> tuple[Maps, Targets]:
        """Return maps and targets; a full batch, the same every time, is loaded once."""
        if self.held is not None and np.array_equal(self.held[0], positions):
            return self.held[1]
        x, labels = self.train.take(positions)
        loaded = x, self.trainer.objective.targets(labels, self.n_outputs, dtype=x.dtype)
        if self.held is None and not self.trainer.config.batch_size:
            self.held = positions, loaded
        return loaded

    def finish_epoch(self, validation: Batches, n_attacked: int) -> None:
        """Evaluate, and keep the weights if they are the best so far."""
        loss = math.fsum(self.losses) / len(self.losses)
        epoch = _evaluate(self.trainer, validation, len(self.epochs), loss, n_attacked)
        if not math.isfinite(epoch.validation_loss):
            raise UsageError(
                f"Training diverged: the validation loss of epoch {epoch.epoch + 1} is "
                f"{epoch.validation_loss}; lower --learning-rate "
                f"{self.trainer.config.learning_rate}."
            )
        before = [each.validation_loss for each in self.epochs]
        if not before or epoch.validation_loss < min(before):
            self.best = copy.deepcopy(self.trainer.model.state_dict())
        self.epochs.append(epoch)
        self.order, self.losses = np.empty(0, dtype=np.int64), []

    def checkpoint(self) -> Checkpoint:
        """Return a copy of everything that decides how the training goes on."""
        return Checkpoint(
            model=copied(self.trainer.model.state_dict()),
            best=copied(self.best),
            optimiser=optimiser_state(self.trainer.optimiser),
            generator=self.trainer.generator.get_state(),
            order=self.order.copy(),
            losses=tuple(self.losses),
            updates=self.trainer.updates,
            portion=self.trainer.portion,
            epochs=tuple(self.epochs),
        )

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go to where a checkpoint was made."""
        trainer = self.trainer
        trainer.model.load_state_dict(checkpoint.model)
        restore_optimiser(trainer.optimiser, checkpoint.optimiser)
        trainer.generator.set_state(checkpoint.generator)
        trainer.updates, trainer.portion = checkpoint.updates, checkpoint.portion
        self.order, self.losses = checkpoint.order, list(checkpoint.losses)
        self.epochs, self.best = list(checkpoint.epochs), dict(checkpoint.best)


def _n_updates(train: Batches, config: TrainingConfig) -> int:
    hops = config.steps if config.scheme == "adversarial" else 1
    return passes(config) * math.ceil(len(train) / (config.batch_size or len(train))) * hops


def _scorable(validation: Batches, objective: Objective) -> NDArray[np.int64]:
    """Return the positions of the examples that a score can be made of."""
    return np.flatnonzero(objective.most(validation.labels[validation.indices]))


def _evaluate(
    trainer: Trainer, validation: Batches, number: int, train_loss: float, n_attacked: int
) -> Epoch:
    model, config, peers = trainer.model, trainer.config, trainer.peers
    objective = trainer.objective
    own, size = peers.rows(len(validation)), config.batch_size or len(validation)
    loss = gained = gained_under_attack = 0.0
    for first in range(own.start, own.stop, size):
        x, y = validation.take(slice(first, min(first + size, own.stop)))
        outputs = logits_of(model, x)
        targets = objective.targets(y, outputs.shape[1], dtype=outputs.dtype)
        loss += float(objective.validation_loss(outputs, targets))
        gained += float(objective.gains(outputs, y).sum())
    known = _scorable(validation, objective)
    spread = known[np.linspace(0, len(known) - 1, n_attacked).round().astype(np.int64)]
    attacked = config.scheme in ("adversarial", "pgd") and n_attacked > 0
    if attacked and len(few := spread[peers.rows(n_attacked)]):
        x, y = validation.take(few)
        outputs = outputs_under_attack(model, x, y, bound=trainer.bound, objective=objective)
        gained_under_attack = float(objective.gains(outputs, y).sum())
    sums = torch.tensor(
        [loss, gained, gained_under_attack], dtype=torch.float64, device=validation.device
    )
    loss, gained, gained_under_attack = peers.add([sums])[0].tolist()
    most = objective.most(validation.labels[validation.indices])
    return Epoch(
        epoch=number,
        train_loss=train_loss,
        validation_loss=loss / len(validation),
        validation_score=gained / float(most.sum()),
        robust_score=gained_under_attack / float(most[spread].sum()) if attacked else math.nan,
    )
