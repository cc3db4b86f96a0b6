"""Train one decoder a fold, on participants that the fold does not test."""

import logging
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fmridecode.bids.derivatives import read_table, write_table
from fmridecode.bundles.bundle import save
from fmridecode.config import RunConfig
from fmridecode.core.maps import MapSet
from fmridecode.core.objective import CLASSES, NUMBER
from fmridecode.core.peers import ALONE, Peers
from fmridecode.core.splits import Split, make_splits
from fmridecode.core.target import standard_of
from fmridecode.core.training import passes
from fmridecode.errors import BadDataError
from fmridecode.pipeline.lease import lease
from fmridecode.pipeline.memory import check_memory, work_of_maps
from fmridecode.pipeline.regression.ridge import train_ridge
from fmridecode.pipeline.training.baseline import baseline_config, has_baseline
from fmridecode.pipeline.training.checkpoints import checkpoints_of
from fmridecode.pipeline.training.choose import (
    EPSILON,
    EPSILON_DICTIONARY,
    choose_sigmas,
    collect_epsilons,
    epsilon_curve,
    epsilons,
    with_epsilon,
)
from fmridecode.pipeline.training.fitting import Fitted, fit_decoder, seconds_a_fold
from fmridecode.pipeline.training.folds import Folds, find_folds, model_name, save_folds
from fmridecode.pipeline.training.leaks import kept_together
from fmridecode.pipeline.training.permuted import has_permuted, permuted_maps
from fmridecode.pipeline.training.refits import refit
from fmridecode.pipeline.training.start import check_start_saw_nobody
from fmridecode.pipeline.training.together import by_first
from fmridecode.progress import progress

log = logging.getLogger(__name__)

WORTH_SAYING = 120.0
"""Seconds; a training that is expected to take longer says so first."""

SETTLING = Path("models", ".folds.lock")
"""Held while a job of ``--fold`` looks who is in which fold, or settles it."""

HISTORY = "training.tsv"
HISTORY_DICTIONARY = {
    "fold": "Number of the fold, from 1.",
    "member": "Decoder of the ensemble, from 1.",
    "epoch": "Pass over the training maps, from 0.",
    "train_loss": "Mean loss of the minibatches, under the training's noise: cross-entropy of "
    "classes; of a standardised number, negative log-likelihood times variance.",
    "validation_loss": "Mean cross-entropy, or squared error, of the validation maps; the lowest "
    "is selected.",
    "validation_accuracy": "Accuracy on the validation maps.",
    "robust_accuracy": "Accuracy on validation maps under PGD-20 at the training bound.",
    "validation_r2": "R2 of the number on the validation maps, against the mean of the training "
    "participants.",
    "robust_r2": "The same on validation maps under PGD-20 at the training bound.",
    "selected": "Whether this epoch's weights were kept.",
}


def train(
    config: RunConfig,
    maps: MapSet,
    families: Mapping[str, str],
    output_dir: Path,
    device: torch.device,
    *,
    peers: Peers = ALONE,
) -> Folds:
    """Train what is not yet trained, of the folds of ``--fold`` or of all, and return all folds.

    Parameters
    ----------
    config
        The run's configuration.
    maps
        All participants' maps.
    families
        Family of each participant that has one.
    output_dir
        Receives ``models/<name>/fold-N``, ``models/<name>/baseline/fold-N`` for the linear
        decoder to compare with, and ``models/<name>/permuted-labels/fold-N`` where ``--sanity
        full`` asks for it; folds that are finished there are kept.
    device
        Where to train.
    peers
        Processes that train together, each with the same arguments; the first one writes.
    """
    check_memory(config, work_of_maps(maps))
    folds = by_first(peers, lambda: _settled(config, maps, families, output_dir))
    maps = folds.aligned(maps)
    train_missing = partial(_train_missing, device=device, peers=peers)
    train_missing(config, maps, folds)
    by_first(peers, lambda: choose_sigmas(config, maps, folds, device))
    if has_baseline(config) and maps.target is not None:
        by_first(peers, lambda: train_ridge(config, maps, folds))
    elif has_baseline(config):
        train_missing(baseline_config(config), maps, folds.baseline())
    if has_permuted(config):
        mixed = permuted_maps(maps, seed=config.execution.random_seed)
        train_missing(config, mixed, folds.permuted())
    if not config.execution.fold:  # the permutations are of all folds
        by_first(peers, lambda: refit(config, maps, folds))
    return folds


def _settled(
    config: RunConfig, maps: MapSet, families: Mapping[str, str], output_dir: Path
) -> Folds:
    """Return who trains, validates and tests in each fold, settling it where nothing is trained.

    Jobs of ``--fold``, one after the other, keep what the first one settled.
    """
    several = bool(config.execution.fold)
    with lease(output_dir / SETTLING, asks=0.2) if several else nullcontext():
        folds = find_folds(output_dir, config)
        if folds is None or not (folds.finished() or several):
            folds = _split(config, maps, families, output_dir)
    folds.wanted(config)  # that --fold names no other
    return folds


def _split(
    config: RunConfig, maps: MapSet, families: Mapping[str, str], output_dir: Path
) -> Folds:
    splits = make_splits(
        maps.participants,
        config.split,
        families=kept_together(maps, families, seed=config.execution.random_seed),
        generator=np.random.default_rng(config.execution.random_seed),
    )
    for fold, split in enumerate(splits, start=1):
        _check_classes(maps, split, fold)
    folder = output_dir / "models" / model_name(config)
    return save_folds(folder, splits, maps.classes, config)


def _train_missing(
    config: RunConfig, maps: MapSet, folds: Folds, *, device: torch.device, peers: Peers
) -> None:
    finished = peers.of_first(folds.finished())
    for fold in finished:  # by a run that was killed before it could
        checkpoints_of(config, folds.fold_folder(fold), trainings=0).remove()
    missing = [fold for fold in folds.wanted(config) if fold not in finished]
    if missing:
        folds.check_everyone(maps)
        for fold in missing:
            _check_classes(maps, folds.splits[fold - 1], fold)
        check_start_saw_nobody(config, maps, folds.splits)
        _announce(config, maps, folds, len(missing), device)
    n_epochs = passes(config.training) * config.model.ensemble * len(missing)
    n_epochs *= len(epsilons(config))
    with progress("Training", n_epochs, shown=peers.first) as advance:
        for fold in missing:
            fitted = _fit_fold(config, maps, folds, fold, device, advance, peers)
            if peers.first:
                _save_fold(config, maps, folds, fold, fitted, device)
    if peers.first and folds.complete():
        _collect_histories(folds)
        collect_epsilons(folds)


def _fit_fold(
    config: RunConfig,
    maps: MapSet,
    folds: Folds,
    fold: int,
    device: torch.device,
    advance: Callable[[], None],
    peers: Peers,
) -> dict[float, Fitted]:
    """Train a decoder of the fold for every noise bound."""
    bounds = epsilons(config)
    n_trainings = len(bounds) * config.model.ensemble
    checkpoints = checkpoints_of(config, folds.fold_folder(fold), trainings=n_trainings)
    return {
        epsilon: fit_decoder(
            with_epsilon(config, epsilon),
            maps,
            folds.splits[fold - 1],
            fold=fold,
            device=device,
            advance=advance,
            checkpoints=checkpoints,
            peers=peers,
        )
        for epsilon in bounds
    }


def _save_fold(
    config: RunConfig,
    maps: MapSet,
    folds: Folds,
    fold: int,
    fitted: Mapping[float, Fitted],
    device: torch.device,
) -> None:
    """Keep the decoder of the chosen noise bound, and how it was chosen."""
    folder = folds.fold_folder(fold)
    kept = next(iter(fitted.values()))
    if len(fitted) > 1:
        decoders = {epsilon: each.decoder for epsilon, each in fitted.items()}
        curve = epsilon_curve(decoders, maps, folds.splits[fold - 1], config, device=device)
        write_table(folder / EPSILON, curve.assign(fold=fold), EPSILON_DICTIONARY)
        epsilon = float(curve.loc[curve["chosen"], "epsilon"].iloc[0])
        log.info("Fold %d: --epsilon %g was chosen on validation participants.", fold, epsilon)
        kept = fitted[epsilon]
    write_table(folder / HISTORY, kept.history, HISTORY_DICTIONARY)
    save(kept.decoder, folder)
    checkpoints_of(config, folder, trainings=0).remove()
    _log_fold(fold, folds, kept)


def _check_classes(maps: MapSet, split: Split, fold: int) -> None:
    """Raise a BadDataError unless a fold has something to choose by, and every class to learn."""
    if maps.target is not None:
        standard_of(maps.number_of, split.train)  # raises where they have no spread
        return
    labels = {
        role: {maps.examples[i].label for i in maps.where(set(getattr(split, role)))}
        for role in ("train", "validation")
    }
    absent = [name for k, name in enumerate(maps.class_names) if k not in labels["train"]]
    if absent or not labels["validation"]:
        lacks = f"no map of {', '.join(absent)} to train on" if absent else "no validation map"
        raise BadDataError(
            f"Fold {fold} has {lacks}: too few participants have usable ones. Add participants, "
            "raise --folds, leave the class out (--task-id, --bids-filter-file), or try another "
            "--random-seed."
        )


def _announce(
    config: RunConfig, maps: MapSet, folds: Folds, n_missing: int, device: torch.device
) -> None:
    """Say what will be trained and, when it is long, how long it will take."""
    split = folds.splits[0]
    log.info(
        "Training %s (%s) on %s: %d folds, %s, %d maps of %d participants, grid %s.",
        config.model.architecture,
        config.training.scheme,
        device,
        n_missing,
        maps.target.name if maps.target else f"{len(maps.classes)} classes",
        len(maps.examples),
        len(set(maps.participants)),
        "x".join(map(str, maps.grid.shape)),
    )
    expected = seconds(config, maps, split, n_missing, device)
    if expected > WORTH_SAYING:
        log.info(
            "Training will take about %d minutes on %s. Shorter: --device cuda, a coarser "
            "--resolution, fewer --folds or --epochs, --preset quick.",
            round(expected / 60),
            device,
        )


def seconds(
    config: RunConfig, maps: MapSet, split: Split, n_folds: int, device: torch.device
) -> float:
    """Estimate how long the decoders of some folds take, choosing the noise bound included."""
    candidates = epsilons(config)
    one = seconds_a_fold(with_epsilon(config, candidates[0]), maps, split, device)
    return one * len(candidates) * n_folds


def histories_collected(folds: Folds) -> bool:
    """Whether the histories of all folds stand in one table."""
    return (folds.folder / HISTORY).exists()


def _collect_histories(folds: Folds) -> None:
    tables = [
        read_table(folds.fold_folder(fold) / HISTORY) for fold in range(1, len(folds.splits) + 1)
    ]
    write_table(folds.folder / HISTORY, pd.concat(tables), HISTORY_DICTIONARY)


def _log_fold(fold: int, folds: Folds, fitted: Fitted) -> None:
    kept, number = fitted.history[fitted.history["selected"]], fitted.decoder.number
    score = (CLASSES if number is None else NUMBER).score
    log.info(
        "Fold %d of %d: kept epoch %s, validation %s %.2f, %s %.2f.",
        fold,
        len(folds.splits),
        ", ".join(map(str, kept["epoch"])),
        score,
        kept[f"validation_{score}"].mean(),
        "temperature" if number is None else "factor on SDs",
        fitted.decoder.temperature if number is None else number.spread.scale,
    )
