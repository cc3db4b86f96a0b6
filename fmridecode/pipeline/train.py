"""Train one decoder a fold, on participants that the fold does not test."""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fmridecode.bids.derivatives import read_table, write_table
from fmridecode.bundles.bundle import CONFIG, save
from fmridecode.config import RunConfig
from fmridecode.core.batches import Batches
from fmridecode.core.calibration import fit_temperature
from fmridecode.core.maps import MapSet
from fmridecode.core.models import Decoder, Ensemble, build
from fmridecode.core.settings import TrainingConfig
from fmridecode.core.splits import Split, make_splits
from fmridecode.core.trained import TrainedDecoder, predict_logits
from fmridecode.core.training import Epoch, fit, passes
from fmridecode.pipeline.folds import Folds, find_folds, model_name, save_folds
from fmridecode.pipeline.progress import progress

log = logging.getLogger(__name__)

WORTH_SAYING = 120.0
"""Seconds; a training that is expected to take longer says so first."""

HISTORY = "training.tsv"
HISTORY_DICTIONARY = {
    "fold": "Number of the fold, from 1.",
    "member": "Decoder of the ensemble, from 1.",
    "epoch": "Pass over the training maps, from 0.",
    "train_loss": "Mean cross-entropy of the minibatches, under the training's noise.",
    "validation_loss": "Mean cross-entropy of the validation maps; the lowest is selected.",
    "validation_accuracy": "Accuracy on the validation maps.",
    "robust_accuracy": "Accuracy on validation maps under PGD-20 at the training bound.",
    "selected": "Whether this epoch's weights were kept.",
}


def train(
    config: RunConfig,
    maps: MapSet,
    families: Mapping[str, str],
    output_dir: Path,
    device: torch.device,
) -> Folds:
    """Train what is not yet trained, and return all folds.

    Parameters
    ----------
    config
        The run's configuration.
    maps
        All participants' maps.
    families
        Family of each participant that has one.
    output_dir
        Receives ``models/<name>/fold-N``; folds that are finished there are kept.
    device
        Where to train.
    """
    folds = find_folds(output_dir, config)
    if folds is None:
        splits = make_splits(
            maps.participants,
            config.split,
            families=families,
            generator=np.random.default_rng(config.execution.random_seed),
        )
        folds = save_folds(output_dir / "models" / model_name(config), splits, config)
    missing = [
        fold
        for fold in range(1, len(folds.splits) + 1)
        if not (folds.fold_folder(fold) / CONFIG).exists()
    ]
    if missing:
        _announce(config, maps, folds, len(missing), device)
    n_epochs = passes(config.training) * config.model.ensemble * len(missing)
    with progress("Training", n_epochs) as advance:
        for fold in missing:
            _train_fold(config, maps, folds, fold, device, advance)
    _collect_histories(folds)
    return folds


def _train_fold(
    config: RunConfig,
    maps: MapSet,
    folds: Folds,
    fold: int,
    device: torch.device,
    advance: Callable[[], None],
) -> None:
    split, seed = folds.splits[fold - 1], config.execution.random_seed
    training, validation = _batches(maps, split, device)
    members: list[Decoder] = []
    rows: list[dict[str, object]] = []
    for member in range(config.model.ensemble):
        weights_seed, noise_seed = np.random.SeedSequence([seed, fold, member]).generate_state(2)
        model = build(
            config.model,
            torch.from_numpy(maps.mask),
            len(maps.classes),
            generator=torch.Generator().manual_seed(int(weights_seed)),
        ).to(device)

        def on_epoch(epoch: Epoch, member: int = member) -> None:
            log.debug("Fold %d, decoder %d: %s", fold, member + 1, epoch)
            advance()

        history = fit(
            model,
            training,
            validation,
            config.training,
            n_classes=len(maps.classes),
            generator=torch.Generator(device).manual_seed(int(noise_seed)),
            on_epoch=on_epoch,
        )
        if history.collapsed:
            log.warning(
                "Fold %d: accuracy under attack collapsed while clean accuracy did not "
                "(catastrophic overfitting); lower --epsilon or the learning rate.",
                fold,
            )
        members.append(model)
        rows += [
            {
                "fold": fold,
                "member": member + 1,
                **asdict(epoch),
                "selected": epoch.epoch == history.selected,
            }
            for epoch in history.epochs
        ]
    whole = members[0] if len(members) == 1 else Ensemble(members)
    decoder = _finish(config, maps, whole, training, validation, split)
    folder = folds.fold_folder(fold)
    write_table(folder / HISTORY, pd.DataFrame(rows), HISTORY_DICTIONARY)
    save(decoder, folder)
    _log_fold(fold, folds, pd.DataFrame(rows), decoder)


def _finish(
    config: RunConfig,
    maps: MapSet,
    model: Decoder,
    training: Batches,
    validation: Batches,
    split: Split,
) -> TrainedDecoder:
    """Fit the temperature on the validation maps and put everything together."""
    logits = predict_logits(model, validation).numpy()
    calibration = fit_temperature(logits, validation.labels[validation.indices])
    if calibration.at_bound:
        log.warning(
            "The temperature ran to the bound %.3g of its range: the validation maps are "
            "separable or the decoder is at chance, so probabilities are not calibrated.",
            calibration.temperature,
        )
    return TrainedDecoder(
        model=model,
        model_config=config.model,
        training_config=config.training,
        classes=maps.classes,
        grid=maps.grid,
        mask_source=maps.mask_source,
        zscore=config.space.zscore,
        calibration=calibration,
        n_maps=len(training),
        n_participants=len(split.train),
        seed=config.execution.random_seed,
    )


def _batches(maps: MapSet, split: Split, device: torch.device) -> tuple[Batches, Batches]:
    whole = Batches(
        values=maps.values, labels=maps.labels, indices=maps.where(set(split.train)), device=device
    )
    return whole, replace(whole, indices=maps.where(set(split.validation)))


def _announce(
    config: RunConfig, maps: MapSet, folds: Folds, n_missing: int, device: torch.device
) -> None:
    """Say what will be trained and, when it is long, how long it will take."""
    split = folds.splits[0]
    log.info(
        "Training %s (%s) on %s: %d folds, %d classes, %d maps of %d participants, grid %s.",
        config.model.architecture,
        config.training.scheme,
        device,
        n_missing,
        len(maps.classes),
        len(maps.examples),
        len(set(maps.participants)),
        "x".join(map(str, maps.grid.shape)),
    )
    seconds = _seconds_a_fold(config, maps, split, device) * n_missing
    if seconds > WORTH_SAYING:
        log.info(
            "Training will take about %d minutes on %s. Shorter: --device cuda, a coarser "
            "--resolution, fewer --folds or --epochs, --preset quick.",
            round(seconds / 60),
            device,
        )


def _seconds_a_fold(config: RunConfig, maps: MapSet, split: Split, device: torch.device) -> float:
    """Estimate from one timed pass over one minibatch by a decoder that is thrown away."""
    training, validation = _batches(maps, split, device)
    if config.model.architecture == "correlation":
        return 0.0
    size = min(config.training.batch_size or len(training), len(training))
    few = replace(training, indices=training.indices[:size])
    once: TrainingConfig = replace(config.training, epochs=1)
    seconds = 0.0
    for _ in range(2):
        generator = torch.Generator().manual_seed(0)
        model = build(
            config.model, torch.from_numpy(maps.mask), len(maps.classes), generator=generator
        ).to(device)
        start = time.monotonic()
        fit(
            model,
            few,
            replace(validation, indices=validation.indices[:size]),
            once,
            n_classes=len(maps.classes),
            generator=torch.Generator(device).manual_seed(0),
        )
        seconds = time.monotonic() - start
    batches = len(training) / size
    return seconds * batches * passes(config.training) * config.model.ensemble


def _collect_histories(folds: Folds) -> None:
    tables = [
        read_table(folds.fold_folder(fold) / HISTORY) for fold in range(1, len(folds.splits) + 1)
    ]
    write_table(folds.folder / HISTORY, pd.concat(tables), HISTORY_DICTIONARY)


def _log_fold(fold: int, folds: Folds, rows: pd.DataFrame, decoder: TrainedDecoder) -> None:
    kept = rows[rows["selected"]]
    log.info(
        "Fold %d of %d: kept epoch %s, validation accuracy %.2f, temperature %.2f.",
        fold,
        len(folds.splits),
        ", ".join(map(str, kept["epoch"])),
        kept["validation_accuracy"].mean(),
        decoder.temperature,
    )
