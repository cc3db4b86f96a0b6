"""How well a number is predicted: R2, errors, correlation, and coverage of the intervals."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Values = NDArray[np.float64]

WITHIN = {"coverage_68": 0.68, "coverage_95": 0.95}
"""Shares of the predicted intervals, by the name of their coverage."""


def r2(true: Values, predicted: Values, expected: Values) -> float:
    """Return 1 - sum of squared errors / sum of those of what is expected without a map.

    Parameters
    ----------
    true, predicted
        ``(n,)``.
    expected
        ``(n,)`` the mean of the training participants of the fold, not of those who are tested:
        a decoder does not know the latter.
    """
    total = float(np.square(true - expected).sum())
    return 1 - float(np.square(true - predicted).sum()) / total if total > 0 else np.nan


def mae(true: Values, predicted: Values, expected: Values) -> float:
    """Return the mean absolute error."""
    return float(np.abs(true - predicted).mean())


def rmse(true: Values, predicted: Values, expected: Values) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(np.square(true - predicted).mean()))


def pearson_r(true: Values, predicted: Values, expected: Values) -> float:
    """Return the correlation, NaN where either has no spread."""
    a, b = true - true.mean(), predicted - predicted.mean()
    scale = float(np.sqrt((a @ a) * (b @ b)))
    tiny = 1e-12 * len(a) * float(np.abs(true).max() * np.abs(predicted).max())
    return float(a @ b) / scale if scale > tiny else np.nan


METRICS: Mapping[str, Callable[[Values, Values, Values], float]] = {
    "r2": r2,
    "mae": mae,
    "rmse": rmse,
    "pearson_r": pearson_r,
}
HIGHER_IS_BETTER = {"r2": True, "mae": False, "rmse": False, "pearson_r": True}


def covered(errors: Values, sds: Values, share: float) -> NDArray[np.bool_]:
    """Say of each error whether it lies within the central interval of that share."""
    return np.abs(errors) <= float(stats.norm.ppf((1 + share) / 2)) * sds


def permutation_p(
    metric: str,
    true: Values,
    predicted: Values,
    expected: Values,
    *,
    generator: np.random.Generator,
    n_permutations: int = 5000,
) -> float:
    """Return the one-sided p of a metric under exchange of the true numbers over participants.

    ``(1 + permutations at least as good) / (1 + permutations)``, NaN where the metric is.
    """
    score, sign = METRICS[metric], 1 if HIGHER_IS_BETTER[metric] else -1
    observed = sign * score(true, predicted, expected)
    if not np.isfinite(observed):
        return np.nan
    null = [
        sign * score(generator.permutation(true), predicted, expected)
        for _ in range(n_permutations)
    ]
    return float((1 + np.sum(np.array(null) >= observed - 1e-12)) / (1 + n_permutations))
