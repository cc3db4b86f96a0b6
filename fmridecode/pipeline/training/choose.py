"""Choose the noise bound and SmoothGrad's noise on validation participants alone."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fmridecode.bids.derivatives import read_table, write_table
from fmridecode.config import RunConfig
from fmridecode.core.maps import MapSet
from fmridecode.core.settings import AUTO, TrainingConfig
from fmridecode.core.splits import Split
from fmridecode.core.trained import TrainedDecoder, predict_logits
from fmridecode.errors import BadDataError
from fmridecode.pipeline.participant.alignment import align, own_activation
from fmridecode.pipeline.participant.decode import batches_of
from fmridecode.pipeline.training.folds import Folds
from fmridecode.progress import progress

log = logging.getLogger(__name__)

EPSILONS = (0.05, 0.1, 0.2, 0.3)
"""Noise bounds that are tried, SD per voxel."""

SIGMAS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""SDs of SmoothGrad's noise that are tried."""

EPSILON, SIGMA = "epsilon.tsv", "smoothgrad_sigma.tsv"

_SHARED = {
    "fold": "Number of the fold, from 1.",
    "cia": "Mean class informative activation of the validation participants.",
    "cad": "Mean class activation difference of the validation participants.",
    "interpretability": "Mean of the two.",
    "chosen": "Whether this value was taken.",
}
EPSILON_DICTIONARY = {
    **_SHARED,
    "epsilon": "Noise bound of the training, SD per voxel.",
    "validation_accuracy": "Accuracy on the validation maps.",
    "standard_error": "Standard error of that accuracy, sqrt(p (1 - p) / n).",
    "accurate": "Whether the accuracy is within one standard error of the best; the most "
    "interpretable of these, by the gradient, is chosen.",
}
SIGMA_DICTIONARY = {**_SHARED, "sigma": "SD of SmoothGrad's noise; the most interpretable."}


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpretability:
    """Means over participants of each one's mean correlation with its own activation."""

    cia: float
    cad: float

    @property
    def both(self) -> float:
        """The mean of the two criteria."""
        return (self.cia + self.cad) / 2


def epsilons(config: RunConfig) -> tuple[float, ...]:
    """Return the noise bounds to train with: one, or the grid when one is to be chosen."""
    epsilon = config.training.epsilon
    if epsilon != AUTO:
        return (float(epsilon),)
    if config.training.scheme == "standard" or config.model.architecture == "correlation":
        return (float(TrainingConfig().epsilon),)  # without noise it has no effect
    return EPSILONS


def with_epsilon(config: RunConfig, epsilon: float) -> RunConfig:
    """Return the config with a noise bound."""
    return replace(config, training=replace(config.training, epsilon=epsilon))


def epsilon_curve(
    decoders: Mapping[float, TrainedDecoder],
    maps: MapSet,
    split: Split,
    config: RunConfig,
    *,
    device: torch.device,
) -> pd.DataFrame:
    """Score decoders trained with different bounds on the validation participants.

    Parameters
    ----------
    decoders
        A decoder of the fold for every bound.
    maps, split
        Of which the maps of ``split.validation`` are looked at, and no others.
    config
        The run's settings.
    device
        Where to compute.

    Returns
    -------
    DataFrame
        Columns as `EPSILON_DICTIONARY`, without the fold; one row is chosen.
    """
    indices = maps.where(set(split.validation))
    rows = []
    for epsilon, decoder in decoders.items():
        logits = predict_logits(decoder.model, batches_of(maps, indices, device)).numpy()
        accuracy = float((logits.argmax(axis=1) == maps.labels[indices]).mean())
        found = interpretability(decoder, maps, split.validation, "gradient", config, device)
        rows.append(
            {
                "epsilon": epsilon,
                "validation_accuracy": accuracy,
                "standard_error": float(np.sqrt(accuracy * (1 - accuracy) / len(indices))),
                "cia": found.cia,
                "cad": found.cad,
                "interpretability": found.both,
            }
        )
    table = pd.DataFrame(rows)
    best = int(table["validation_accuracy"].to_numpy().argmax())
    least = table["validation_accuracy"][best] - table["standard_error"][best]
    table["accurate"] = table["validation_accuracy"] >= least
    _require_scores(table["interpretability"], "--epsilon")
    table["chosen"] = table.index == table["interpretability"].where(table["accurate"]).idxmax()
    return table


def sigma_curve(
    decoder: TrainedDecoder, maps: MapSet, split: Split, config: RunConfig, device: torch.device
) -> pd.DataFrame:
    """Score SmoothGrad with different noise on the validation participants, and no others."""
    rows = []
    for sigma in SIGMAS:
        tried = with_sigma(config, sigma)
        found = interpretability(decoder, maps, split.validation, "smoothgrad", tried, device)
        rows.append(
            {
                "sigma": sigma,
                "cia": found.cia,
                "cad": found.cad,
                "interpretability": found.both,
            }
        )
    table = pd.DataFrame(rows)
    _require_scores(table["interpretability"], "--smoothgrad-sigma")
    table["chosen"] = table.index == table["interpretability"].idxmax()
    return table


def _require_scores(values: "pd.Series[float]", flag: str) -> None:
    if values.isna().all():
        raise BadDataError(
            f"{flag} auto: no validation participant has maps of two classes to score; give a "
            "number."
        )


def with_sigma(config: RunConfig, sigma: float) -> RunConfig:
    """Return the config with an SD of SmoothGrad's noise."""
    return replace(config, saliency=replace(config.saliency, smoothgrad_sigma=sigma))


def chooses_sigma(config: RunConfig) -> bool:
    """Whether SmoothGrad's noise is to be chosen."""
    return config.saliency.smoothgrad_sigma == AUTO and "smoothgrad" in config.saliency.methods


def sigma_chosen(config: RunConfig, folds: Folds) -> bool:
    """Whether nothing is left to choose for SmoothGrad."""
    numbers = range(1, len(folds.splits) + 1)
    return not chooses_sigma(config) or all(
        (folds.fold_folder(fold) / SIGMA).exists() for fold in numbers
    )


def choose_sigmas(config: RunConfig, maps: MapSet, folds: Folds, device: torch.device) -> None:
    """Choose SmoothGrad's noise for every fold wanted that lacks it, and write the curves."""
    if not chooses_sigma(config):
        return
    paths = {fold: folds.fold_folder(fold) / SIGMA for fold in range(1, len(folds.splits) + 1)}
    missing = [fold for fold in folds.wanted(config) if not paths[fold].exists()]
    with progress("Choosing SmoothGrad's noise", len(missing)) as advance:
        for fold in missing:
            decoder = folds.load(fold, device=device).decoder
            curve = sigma_curve(decoder, maps, folds.splits[fold - 1], config, device)
            write_table(paths[fold], curve.assign(fold=fold), SIGMA_DICTIONARY)
            advance()
    if sigma_chosen(config, folds):
        table = pd.concat([read_table(path) for path in paths.values()])
        write_table(folds.folder / SIGMA, table, SIGMA_DICTIONARY)


def resolved(config: RunConfig, folds: Folds, fold: int) -> RunConfig:
    """Return the settings by which a fold's decoder explains, SmoothGrad's noise chosen."""
    if not chooses_sigma(config):
        return config
    curve = read_table(folds.fold_folder(fold) / SIGMA)
    return with_sigma(config, float(curve.loc[curve["chosen"], "sigma"].iloc[0]))


def collect_epsilons(folds: Folds) -> None:
    """Put the folds' curves of the noise bound together, where they were made."""
    found = sorted(folds.folder.glob(f"fold-*/{EPSILON}"), key=_fold_number)
    if found:
        table = pd.concat([read_table(path) for path in found])
        write_table(folds.folder / EPSILON, table, EPSILON_DICTIONARY)


def _fold_number(path: Path) -> int:
    return int(path.parent.name.removeprefix("fold-"))


def interpretability(
    decoder: TrainedDecoder,
    maps: MapSet,
    participants: tuple[str, ...],
    method: str,
    config: RunConfig,
    device: torch.device,
) -> Interpretability:
    """Average the criteria over some participants, each against its own activation."""
    means: dict[str, list[float]] = {"CIA": [], "CAD": []}
    for participant in participants:
        own = {"own": own_activation(maps, participant)}
        found = list(align(decoder, maps, participant, method, own, config, device=device))
        for criterion, values in means.items():
            r = [f.alignment.pearson_r for f in found if f.alignment.criterion == criterion]
            finite = [value for value in r if np.isfinite(value)]
            values += [float(np.mean(finite))] if finite else []
    cia, cad = (float(np.mean(v)) if v else float("nan") for v in means.values())
    return Interpretability(cia=cia, cad=cad)
