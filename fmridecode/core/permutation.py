"""Permutation tests: of decoded labels within participants, and of paired differences."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats


@dataclass(frozen=True, slots=True, kw_only=True)
class PermutationTest:
    """A one-sided test that labels are decoded better than if they were exchangeable.

    Parameters
    ----------
    observed
        The accuracy.
    null_mean, null_high
        Mean and 95th percentile of the accuracy over permutations.
    p
        ``(1 + permutations at least as good) / (1 + permutations)``; never 0 (B. Phipson & G. K.
        Smyth 2010, doi:10.2202/1544-6115.1585). 1 where no participant has two classes.
    n_permutations
        Number of permutations.
    """

    observed: float
    null_mean: float
    null_high: float
    p: float
    n_permutations: int


def permutation_test(
    labels: NDArray[np.int64],
    predicted: NDArray[np.int64],
    units: NDArray[np.int64],
    *,
    balanced: bool,
    generator: np.random.Generator,
    n_permutations: int = 5000,
) -> PermutationTest:
    """Test the accuracy of decoded labels.

    The decoder's outputs stay as they are. Exchanging labels within a participant keeps what the
    participant's maps share.

    Parameters
    ----------
    labels, predicted
        ``(maps,)`` true and decoded classes.
    units
        ``(maps,)`` the participant of each map.
    balanced
        Whether every class weighs the same.
    generator
        Source of the permutations.
    """
    order = np.argsort(units, kind="stable")
    labels, predicted, units = labels[order], predicted[order], units[order]
    counts = np.bincount(labels)
    weights = np.ones_like(counts, dtype=np.float64) / len(labels)
    if balanced:
        weights = 1.0 / (np.maximum(counts, 1) * np.count_nonzero(counts))
    worth = weights[labels]
    observed = float(worth[labels == predicted].sum())
    null = np.empty(n_permutations)
    for draw in range(n_permutations):
        mixed = np.lexsort((generator.random(len(labels)), units))
        null[draw] = worth[mixed][labels[mixed] == predicted].sum()
    return compare_with_null(null, observed)


def compare_with_null(null: NDArray[np.floating], observed: float) -> PermutationTest:
    """Test an accuracy against those of permutations."""
    as_good = int((null >= observed - 1e-9).sum())
    return PermutationTest(
        observed=observed,
        null_mean=float(null.mean()),
        null_high=float(np.percentile(null, 95)),
        p=(1 + as_good) / (1 + len(null)),
        n_permutations=len(null),
    )


def sign_flip_p(
    differences: NDArray[np.floating],
    *,
    generator: np.random.Generator,
    n_permutations: int = 5000,
) -> float:
    """Return the two-sided p value of a mean difference under exchangeable signs.

    All signs are tried where they are no more than ``n_permutations``, else some are drawn.

    Parameters
    ----------
    differences
        One a participant; NaN is left out.
    generator
        Source of the signs.

    Returns
    -------
    float
        1 where no difference is other than 0; NaN where there are fewer than two.
    """
    finite = np.asarray(differences, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if len(finite) < 2:
        return float("nan")
    if not finite.any():
        return 1.0
    test = stats.permutation_test(
        (finite,),
        lambda values, axis: np.abs(values.mean(axis=axis)),
        permutation_type="samples",
        vectorized=True,
        alternative="greater",
        n_resamples=n_permutations,
        rng=generator,
    )
    return float(test.pvalue)
