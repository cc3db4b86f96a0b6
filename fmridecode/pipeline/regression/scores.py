"""Group tables of how well a number was predicted."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fmridecode.core.number_scores import METRICS, WITHIN, covered, permutation_p
from fmridecode.core.permutation import sign_flip_p
from fmridecode.core.statistics import Estimate, bootstrap

SCORES_DICTIONARY = {
    "predictor": "decoder; ridge, ridge regression on the same folds, whose penalty the same "
    "validation participants chose; training-mean, the mean of the training participants of the "
    "fold for everyone; decoder-minus-ridge, the difference.",
    "unit": "What is predicted from: participant, all maps of each together (the headline); or "
    "map, each map alone.",
    "metric": "r2, 1 - sum of squared errors / sum of squared errors of the training "
    "participants' mean (of the fold, not the mean of those tested, which a decoder cannot "
    "know); mae, mean absolute error; rmse, root of the mean squared error; pearson_r, "
    "correlation of prediction and truth; coverage_68 and coverage_95, the share of the truths "
    "within the central 68 and 95 % of the predicted Gaussian.",
    "estimate": "Value over all who were tested.",
    "ci_low": "Lower end of the 95 % percentile bootstrap interval, participants resampled.",
    "ci_high": "Upper end of that interval.",
    "p": "One-sided p of 5000 permutations of the true numbers over participants; of "
    "decoder-minus-ridge, two-sided p of changes of sign of the participants' differences in "
    "squared (r2) or absolute (mae) error. n/a where there is no test.",
    "n_participants": "Participants.",
    "n_maps": "Maps.",
}

TESTED = ("r2", "mae", "pearson_r")
"""Metrics that are tested against permutations."""

Values = NDArray[np.float64]
Statistic = Callable[[NDArray[np.int64]], float]


def scores_table(
    predictions: pd.DataFrame, ridge: pd.DataFrame | None, *, seed: int
) -> pd.DataFrame:
    """Return metrics with intervals of the decoder and of what it is compared with.

    Parameters
    ----------
    predictions, ridge
        Rows of participants and maps, of those whose number is known and who were not seen in
        training.
    seed
        Of the bootstrap and the permutations.
    """
    known = predictions
    mean = known.assign(predicted=known["training_mean"], sd=known["training_sd"])
    predictors = {"decoder": known, "ridge": ridge, "training-mean": mean}
    rows: list[dict[str, object]] = []
    for unit in ("participant", "map"):
        for name, table in predictors.items():
            if table is not None and len(table):
                rows += _scored(name, unit, table[table["unit"] == unit], known, seed=seed)
        if ridge is not None and unit == "participant":
            rows += _compared(known, ridge, seed=seed)
    return pd.DataFrame(rows, columns=list(SCORES_DICTIONARY))


def _scored(
    name: str, unit: str, table: pd.DataFrame, everything: pd.DataFrame, *, seed: int
) -> list[dict[str, object]]:
    true, predicted, expected, sd = _columns(table, "true", "predicted", "training_mean", "sd")
    members = _members(table)
    rows = []
    for metric in (*METRICS, *WITHIN):
        constant = name == "training-mean"  # which correlates with nothing
        if constant and metric == "pearson_r":
            continue
        if metric in METRICS:
            function = _metric(METRICS[metric], true, predicted, expected)
        else:
            function = _share(covered(predicted - true, sd, WITHIN[metric]))
        found = _interval(len(members), _over(members, function), seed=seed)
        p = np.nan
        if unit == "participant" and metric in TESTED and not constant:
            generator = np.random.default_rng(seed)
            p = permutation_p(metric, true, predicted, expected, generator=generator)
        rows.append(
            {
                "predictor": name,
                "unit": unit,
                "metric": metric,
                "estimate": found.value,
                "ci_low": found.low,
                "ci_high": found.high,
                "p": p,
                "n_participants": len(members),
                "n_maps": int((everything["unit"] == "map").sum()),
            }
        )
    return rows


def _interval(n: int, statistic: Statistic, *, seed: int) -> Estimate:
    """Return an estimate with its interval; nothing where it is not defined, as of one person."""
    value = statistic(np.arange(n))
    if not np.isfinite(value):
        return Estimate(value=np.nan, low=np.nan, high=np.nan)
    return bootstrap(n, statistic, generator=np.random.default_rng(seed))


def _columns(table: pd.DataFrame, *names: str) -> list[NDArray[np.float64]]:
    return [table[name].to_numpy(dtype=np.float64) for name in names]


def _metric(
    function: Callable[[Values, Values, Values], float],
    true: Values,
    predicted: Values,
    expected: Values,
) -> Statistic:
    return lambda rows: function(true[rows], predicted[rows], expected[rows])


def _share(inside: NDArray[np.bool_]) -> Statistic:
    return lambda rows: float(inside[rows].mean())


def _members(table: pd.DataFrame) -> list[NDArray[np.int64]]:
    """Return the rows of each participant."""
    positions = np.arange(len(table))
    groups = pd.Series(positions).groupby(table["participant_id"].to_numpy(), sort=True)
    return [rows.to_numpy() for _, rows in groups]


def _over(members: list[NDArray[np.int64]], function: Statistic) -> Statistic:
    """Turn a function of rows into one of participants."""
    return lambda drawn: function(np.concatenate([members[i] for i in drawn]))


def _compared(decoder: pd.DataFrame, ridge: pd.DataFrame, *, seed: int) -> list[dict[str, object]]:
    """Return the decoder's R2 and mean absolute error minus those of ridge regression."""
    both = decoder[decoder["unit"] == "participant"].merge(
        ridge[ridge["unit"] == "participant"][["participant_id", "predicted"]],
        on="participant_id",
        suffixes=("", "_ridge"),
    )
    true, first, second, expected = _columns(
        both, "true", "predicted", "predicted_ridge", "training_mean"
    )
    rows = []
    for metric, power in (("r2", 2), ("mae", 1)):
        ours = _metric(METRICS[metric], true, first, expected)
        theirs = _metric(METRICS[metric], true, second, expected)
        found = _interval(len(both), _difference(ours, theirs), seed=seed)
        harm = np.abs(first - true) ** power - np.abs(second - true) ** power
        rows.append(
            {
                "predictor": "decoder-minus-ridge",
                "unit": "participant",
                "metric": metric,
                "estimate": found.value,
                "ci_low": found.low,
                "ci_high": found.high,
                "p": sign_flip_p(harm, generator=np.random.default_rng(seed)),
                "n_participants": len(both),
                "n_maps": int((decoder["unit"] == "map").sum()),
            }
        )
    return rows


def _difference(ours: Statistic, theirs: Statistic) -> Statistic:
    return lambda rows: ours(rows) - theirs(rows)
