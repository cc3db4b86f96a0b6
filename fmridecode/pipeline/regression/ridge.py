"""Ridge regression on the same folds: what a decoder of a number is compared with."""

import logging
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fmridecode.bids.derivatives import write_table
from fmridecode.bundles.bundle import save
from fmridecode.config import RunConfig
from fmridecode.core.gaussian import output_of
from fmridecode.core.maps import MapSet
from fmridecode.core.models import LinearDecoder
from fmridecode.core.ridge import Ridge, inner_products, ridge_path
from fmridecode.core.settings import ModelConfig
from fmridecode.core.splits import Split
from fmridecode.core.target import pooled
from fmridecode.core.trained import TrainedDecoder
from fmridecode.pipeline.regression.calibrate import number_of
from fmridecode.pipeline.training.baseline import baseline_config
from fmridecode.pipeline.training.fitting import batches_of_split
from fmridecode.pipeline.training.folds import Folds
from fmridecode.pipeline.training.training_maps import remembered

log = logging.getLogger(__name__)

PENALTY = "ridge.tsv"
PENALTY_DICTIONARY = {
    "penalty": "Penalty, in units of the mean eigenvalue of the centred inner products.",
    "validation_mse": "Mean squared error of the validation participants, in units of the "
    "variance of the training participants.",
    "chosen": "Whether this penalty was taken.",
}


def train_ridge(config: RunConfig, maps: MapSet, folds: Folds) -> None:
    """Fit the ridge regressions of the folds wanted that lack one, and keep them as decoders."""
    settings, folds = baseline_config(config), folds.baseline()
    for fold in sorted(set(folds.wanted(config)) - set(folds.finished())):
        decoder, curve = fit_ridge(settings, maps, folds.splits[fold - 1])
        write_table(folds.fold_folder(fold) / PENALTY, curve, PENALTY_DICTIONARY)
        save(decoder, folds.fold_folder(fold))
        log.info(
            "Ridge regression, fold %d of %d: penalty %g, validation R2 %.2f.",
            fold,
            len(folds.splits),
            curve.loc[curve["chosen"], "penalty"].iloc[0],
            1 - curve["validation_mse"].min(),
        )


def fit_ridge(
    config: RunConfig, maps: MapSet, split: Split
) -> tuple[TrainedDecoder, pd.DataFrame]:
    """Fit on the training maps; the validation participants choose the penalty.

    Returns
    -------
    tuple
        A linear decoder of constant variance, the mean squared error of the validation
        participants, and the errors of all penalties.
    """
    training, validation = batches_of_split(maps, split, torch.device("cpu"))
    every = np.concatenate([training.indices, validation.indices])
    products, n = inner_products(maps.values, maps.mask, every), len(training)
    numbers = np.asarray(training.labels, dtype=np.float64)
    held = [maps.examples[i].participant for i in validation.indices]
    rows, fitted = [], []
    for penalty, ridge in ridge_path(products[:n, :n], numbers[training.indices]):
        predicted = ridge.predict(products[n:, :n])
        _, mean, truth = pooled(held, predicted, numbers[validation.indices])
        error = float(np.mean(np.square(mean - truth)))
        rows.append({"penalty": penalty, "validation_mse": error})
        fitted.append(ridge)
    curve = pd.DataFrame(rows)
    best = int(curve["validation_mse"].to_numpy().argmin())
    curve["chosen"] = curve.index == best
    model = _decoder(maps, fitted[best], training.indices, curve["validation_mse"][best])
    decoder = TrainedDecoder(
        model=model,
        model_config=ModelConfig(architecture="linear"),
        training_config=replace(config.training, l2=0.0),
        classes=maps.classes,
        grid=maps.grid,
        mask_source=maps.mask_source,
        zscore=config.space.zscore,
        calibration=None,
        n_maps=n,
        n_participants=len(split.train),
        seed=config.execution.random_seed,
        origin=replace(
            remembered(maps, split, seed=config.execution.random_seed), title="Ridge regression"
        ),
        number=number_of(model, maps, split, validation),
    )
    return decoder, curve


def _decoder(
    maps: MapSet, ridge: Ridge, training: NDArray[np.int64], variance: float
) -> LinearDecoder:
    model = LinearDecoder(torch.from_numpy(maps.mask), 2)
    weights = torch.from_numpy(ridge.weights(maps.values, maps.mask, training))
    with torch.no_grad():
        model.head.weight.zero_()
        model.head.weight[0] = weights
        model.head.bias[0] = ridge.intercept
        model.head.bias[1] = output_of(torch.tensor(variance, dtype=torch.float64))
    return model
