"""Bootstrap intervals over participants and paired tests between methods."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy import stats


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


def bootstrap(
    n_units: int,
    statistic: Callable[[NDArray[np.int64]], float],
    *,
    generator: np.random.Generator,
    n_resamples: int = 2000,
) -> Estimate:
    """Return a percentile bootstrap interval by drawing whole units with replacement.

    Parameters
    ----------
    n_units
        Number of participants.
    statistic
        Maps the indices of the drawn participants to a number.
    generator
        Source of the draws.
    n_resamples
        Number of resamples.
    """
    draws = generator.integers(n_units, size=(n_resamples, n_units))
    values = np.array([statistic(draw) for draw in draws])
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Estimate(value=statistic(np.arange(n_units)), low=float(low), high=float(high))


def bootstrap_means(
    values: NDArray[np.floating], *, generator: np.random.Generator, n_resamples: int = 2000
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the means of columns and their 95 % percentile bootstrap intervals.

    Parameters
    ----------
    values
        ``(units, columns)``; whole rows are drawn, as by `bootstrap`.
    generator
        Source of the draws.
    n_resamples
        Number of resamples.

    Returns
    -------
    tuple
        Mean, lower and upper end, each ``(columns,)``.
    """
    values = np.asarray(values, dtype=np.float64)
    n_units = len(values)
    draws = generator.integers(n_units, size=(n_resamples, n_units))
    weights = np.stack([np.bincount(draw, minlength=n_units) for draw in draws]) / n_units
    low, high = np.percentile(weights @ values, [2.5, 97.5], axis=0)
    return values.mean(axis=0), low, high


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedTest:
    """A two-sided paired t-test between two methods over the same units."""

    method_a: str
    method_b: str
    difference: float
    t: float
    df: int
    p: float
    p_bonferroni: float


def paired_tests(scores: Mapping[str, NDArray[np.floating]]) -> list[PairedTest]:
    """Test every pair of methods, Bonferroni-corrected over all pairs.

    Parameters
    ----------
    scores
        For each method one number per unit, units in the same order; units where either is NaN
        are left out of that pair.

    Returns
    -------
    list of PairedTest
        Differences are a minus b. Identical scores give t = 0 and p = 1.
    """
    pairs = list(combinations(scores, 2))
    tests = []
    for a, b in pairs:
        difference = np.asarray(scores[a], dtype=np.float64) - scores[b]
        difference = difference[np.isfinite(difference)]
        t, p, df = _one_sample(difference)
        tests.append(
            PairedTest(
                method_a=a,
                method_b=b,
                difference=float(difference.mean()) if len(difference) else float("nan"),
                t=t,
                df=df,
                p=p,
                p_bonferroni=min(1.0, p * len(pairs)),
            )
        )
    return tests


def _one_sample(difference: NDArray[np.float64]) -> tuple[float, float, int]:
    """Return t, p and the degrees of freedom against a mean of zero."""
    n = len(difference)
    if n < 2:
        return float("nan"), float("nan"), max(n - 1, 0)
    spread = difference.std(ddof=1)
    if spread == 0:
        same = difference[0] == 0
        return (0.0, 1.0, n - 1) if same else (float(np.sign(difference[0])) * np.inf, 0.0, n - 1)
    t = float(difference.mean() / (spread / math.sqrt(n)))
    return t, float(2 * stats.t.sf(abs(t), n - 1)), n - 1
