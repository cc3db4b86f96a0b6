"""Train one decoder of one fold in memory: its members, its temperature, and its history."""

import logging
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fmridecode.config import RunConfig
from fmridecode.core.batches import Batches
from fmridecode.core.calibration import Calibration, fit_temperature
from fmridecode.core.fit import ROBUST_EXAMPLES, fit
from fmridecode.core.history import Epoch, History
from fmridecode.core.maps import MapSet
from fmridecode.core.models import Decoder, Ensemble, build
from fmridecode.core.objective import CLASSES, objective_of
from fmridecode.core.peers import ALONE, Peers
from fmridecode.core.splits import Split
from fmridecode.core.target import standard_of
from fmridecode.core.trained import TrainedDecoder, predict_logits
from fmridecode.core.training import passes
from fmridecode.core.transfer import take_over
from fmridecode.pipeline.device import room_for_maps
from fmridecode.pipeline.memory import spare_memory, work_of_maps
from fmridecode.pipeline.regression.calibrate import number_of
from fmridecode.pipeline.training.checkpoints import Checkpoints, Keeper, training_key
from fmridecode.pipeline.training.start import starting_members
from fmridecode.pipeline.training.training_maps import remembered

log = logging.getLogger(__name__)

PGD_STEPS = 20
"""Steps of the attack that measures accuracy after each epoch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """The network of a fold, its members averaged, before its temperature is known."""

    model: Decoder
    history: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A decoder and the epochs of its members."""

    decoder: TrainedDecoder
    history: pd.DataFrame


def fit_decoder(
    config: RunConfig,
    maps: MapSet,
    split: Split,
    *,
    fold: int,
    device: torch.device,
    advance: Callable[[], None] = lambda: None,
    checkpoints: Checkpoints | None = None,
    peers: Peers = ALONE,
) -> Fitted:
    """Train the decoder of a fold on its training participants.

    Parameters
    ----------
    config
        Settings with every number chosen.
    maps, split
        All maps, and who trains and validates.
    fold
        Part of the seed, from 1.
    device
        Where to train.
    advance
        Called after each epoch of each member.
    checkpoints
        Where the members' trainings are kept, and go on from.
    peers
        Processes that train together.
    """
    members = fit_members(
        config,
        maps,
        split,
        fold=fold,
        device=device,
        advance=advance,
        checkpoints=checkpoints,
        peers=peers,
    )
    training, validation = batches_of_split(maps, split, device)
    decoder = _finish(config, maps, members.model, training, validation, split)
    return Fitted(decoder=decoder, history=members.history)


def fit_members(
    config: RunConfig,
    maps: MapSet,
    split: Split,
    *,
    fold: int,
    device: torch.device,
    advance: Callable[[], None] = lambda: None,
    checkpoints: Checkpoints | None = None,
    peers: Peers = ALONE,
    n_attacked: int = ROBUST_EXAMPLES,
) -> Members:
    """Train the members of a fold's decoder.

    Parameters are those of `fit_decoder`; ``n_attacked`` is the number of validation maps, at
    most, that are attacked after each epoch of the first member, and changes no weight.
    """
    seed, objective = config.execution.random_seed, objective_of(maps)
    n_outputs = objective.n_outputs(len(maps.classes))
    training, validation = (
        each.kept(room=room_for_maps(device)) for each in batches_of_split(maps, split, device)
    )
    members: list[Decoder] = []
    start = starting_members(config, device)
    rows: list[dict[str, object]] = []
    for member in range(config.model.ensemble):
        seeds = np.random.SeedSequence([seed, fold, member]).generate_state(2).tolist()
        weights_seed, noise_seed = seeds
        model = build(
            config.model,
            torch.from_numpy(maps.mask),
            n_outputs,
            generator=torch.Generator().manual_seed(weights_seed),
        ).to(device)
        spare_memory(model, config, work_of_maps(maps))
        if start:
            take_over(start[member % len(start)], model, said=config.training.init_from)

        def on_epoch(epoch: Epoch, member: int = member) -> None:
            log.debug("Fold %d, decoder %d: %s", fold, member + 1, epoch)
            advance()

        keeping: AbstractContextManager[Keeper] = nullcontext(Keeper())
        if checkpoints:
            key = training_key(config, maps, split, seeds=seeds, device=device)
            name = f"epsilon-{config.training.epsilon}_decoder-{member + 1}"
            keeping = checkpoints.training(name, key=key, peers=peers)
        with keeping as keeper:
            history = fit(
                model,
                training,
                validation,
                config.training,
                n_outputs=n_outputs,
                objective=objective,
                generator=torch.Generator(device).manual_seed(noise_seed),
                on_epoch=on_epoch,
                n_attacked=0 if member else n_attacked,  # the others are alike
                start=keeper.start,
                on_batch=keeper.on_batch,
                peers=peers,
            )
        if objective is CLASSES and history.collapsed:
            log.warning(
                "Fold %d: accuracy under attack collapsed while clean accuracy did not "
                "(catastrophic overfitting); lower --epsilon or the learning rate.",
                fold,
            )
        members.append(model)
        rows += _rows(history, score=objective.score, fold=fold, member=member + 1)
    whole = members[0] if len(members) == 1 else Ensemble(members)
    return Members(model=whole, history=pd.DataFrame(rows))


def _rows(history: History, *, score: str, fold: int, member: int) -> list[dict[str, object]]:
    return [
        {
            "fold": fold,
            "member": member,
            **{name.replace("score", score): value for name, value in asdict(epoch).items()},
            "selected": epoch.epoch == history.selected,
        }
        for epoch in history.epochs
    ]


def _finish(
    config: RunConfig,
    maps: MapSet,
    model: Decoder,
    training: Batches,
    validation: Batches,
    split: Split,
) -> TrainedDecoder:
    """Calibrate on the validation maps and put everything together."""
    of_classes = maps.target is None
    return TrainedDecoder(
        model=model,
        model_config=config.model,
        training_config=config.training,
        classes=maps.classes,
        grid=maps.grid,
        mask_source=maps.mask_source,
        zscore=config.space.zscore,
        calibration=_temperature(model, maps, validation) if of_classes else None,
        n_maps=len(training),
        n_participants=len(split.train),
        seed=config.execution.random_seed,
        origin=remembered(maps, split, seed=config.execution.random_seed),
        number=None if of_classes else number_of(model, maps, split, validation),
    )


def _temperature(model: Decoder, maps: MapSet, validation: Batches) -> Calibration:
    logits = predict_logits(model, validation).numpy()
    calibration = fit_temperature(logits, maps.labels[validation.indices])
    if calibration.at_bound:
        log.warning(
            "The temperature ran to the bound %.3g of its range: the validation maps are "
            "separable or the decoder is at chance, so probabilities are not calibrated.",
            calibration.temperature,
        )
    return calibration


def batches_of_split(maps: MapSet, split: Split, device: torch.device) -> tuple[Batches, Batches]:
    """Return the training and the validation examples of a fold.

    Numbers are in units of the mean and the SD of the training participants.
    """
    labels: NDArray[np.int64] | NDArray[np.float32] = maps.labels
    if maps.target is not None:
        mean, sd = standard_of(maps.number_of, split.train)
        labels = ((maps.numbers - mean) / sd).astype(np.float32)
    whole = Batches(
        values=maps.values, labels=labels, indices=maps.where(set(split.train)), device=device
    )
    return whole, replace(whole, indices=maps.where(set(split.validation)))


def seconds_a_fold(config: RunConfig, maps: MapSet, split: Split, device: torch.device) -> float:
    """Estimate the training of one decoder from one timed minibatch by one that is thrown away.

    The minibatch is trained on as it will be, with all hops or attack steps. The attack after
    each epoch is reckoned from the time that one pass over a map takes.
    """
    if config.model.architecture == "correlation":
        return 0.0
    training, validation = batches_of_split(maps, split, device)
    size = min(config.training.batch_size or len(training), len(training))
    few = replace(training, indices=training.indices[:size])
    once = replace(config.training, epochs=1)
    objective = objective_of(maps)
    n_outputs = objective.n_outputs(len(maps.classes))
    seconds = 0.0
    for _ in range(2):  # the first is slowed by what is done once
        generator = torch.Generator().manual_seed(0)
        model = build(
            config.model, torch.from_numpy(maps.mask), n_outputs, generator=generator
        ).to(device)
        spare_memory(model, config, work_of_maps(maps))
        start = time.monotonic()
        fit(
            model,
            few,
            replace(validation, indices=validation.indices[:1]),
            once,
            n_outputs=n_outputs,
            objective=objective,
            generator=torch.Generator(device).manual_seed(0),
            n_attacked=0,
        )
        seconds = time.monotonic() - start
    an_epoch = seconds / size * len(training)
    a_pass = seconds / size / _passes_a_minibatch(config)
    if config.training.scheme in ("adversarial", "pgd"):
        attacked = min(ROBUST_EXAMPLES, len(validation)) / config.model.ensemble
        an_epoch += a_pass * PGD_STEPS * attacked
    an_epoch += a_pass * len(validation) / 3
    return an_epoch * passes(config.training) * config.model.ensemble


def _passes_a_minibatch(config: RunConfig) -> int:
    """Return how often a minibatch passes forward and back."""
    training = config.training
    if training.scheme == "pgd":
        return 1 + training.steps
    if training.scheme == "adversarial":
        reuse = training.gradient_reuse and training.attack == "untargeted"
        return training.steps if reuse else 2 * training.steps - 1
    return 1
