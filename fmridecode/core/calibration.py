"""Temperature scaling (C. Guo et al. 2017, arXiv:1706.04599), what it gains, and scores of it."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

BOUNDS = (0.05, 20.0)
"""Lowest and highest temperature; on separable data the optimum runs to zero."""

N_BINS = 15
"""Bins of equal width for the confidence, as in Guo et al."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A fitted temperature, with the negative log-likelihood and ECE before and after."""

    temperature: float
    at_bound: bool
    nll_before: float
    nll_after: float
    ece_before: float
    ece_after: float


def negative_log_likelihood(
    logits: NDArray[np.floating], labels: NDArray[np.int64], temperature: float = 1.0
) -> float:
    """Return the mean negative log-likelihood of ``(n, classes)`` logits."""
    rows = np.arange(len(labels))
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    true = scaled[rows, labels]
    scaled[rows, labels] = -np.inf  # so that a tiny likelihood of the others is not rounded away
    return float(np.logaddexp(0.0, logsumexp(scaled, axis=1) - true).mean())


def likelihood(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64]
) -> NDArray[np.floating]:
    """Return the probability of each true class, ``(n,)``."""
    return probabilities[np.arange(len(labels)), labels]


def brier_scores(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64]
) -> NDArray[np.floating]:
    """Return each example's squared distance from its true class, 0 to 2, summed over classes."""
    true = np.eye(probabilities.shape[1])[labels]
    return np.asarray(np.square(probabilities - true).sum(axis=1))


def bin_of(probabilities: NDArray[np.floating], n_bins: int = N_BINS) -> NDArray[np.int64]:
    """Return the bin of each example's confidence, its highest probability."""
    bins = (probabilities.max(axis=1) * n_bins).astype(np.int64)
    return np.asarray(np.minimum(bins, n_bins - 1), dtype=np.int64)


def confidence_gaps(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64], n_bins: int = N_BINS
) -> NDArray[np.float64]:
    """Return the sum of (correct - confidence) over the examples of every bin."""
    correct = probabilities.argmax(axis=1) == labels
    gaps = correct - probabilities.max(axis=1)
    sums = np.bincount(bin_of(probabilities, n_bins), weights=gaps, minlength=n_bins)
    return np.asarray(sums, dtype=np.float64)


def expected_calibration_error(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64], n_bins: int = N_BINS
) -> float:
    """Return the ECE of the predicted class: mean |accuracy - confidence| in equal-width bins."""
    return float(np.abs(confidence_gaps(probabilities, labels, n_bins)).sum() / len(labels))


def uncalibrated(
    probabilities: NDArray[np.floating], temperatures: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return what the probabilities ``(n, classes)`` were before the division by a temperature.

    softmax(z) is softmax(t log p), since p = softmax(z / t).
    """
    tiny = np.finfo(np.float64).tiny
    log_p = np.log(np.maximum(np.asarray(probabilities, dtype=np.float64), tiny))
    return np.asarray(softmax(temperatures[:, None] * log_p, axis=1))


def fit_temperature(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> Calibration:
    """Find the temperature that minimises the negative log-likelihood within `BOUNDS`.

    Parameters
    ----------
    logits
        ``(n, classes)`` of validation examples.
    labels
        ``(n,)`` true classes.
    """
    low, high = (math.log(bound) for bound in BOUNDS)
    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(logits, labels, math.exp(log_t)),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-4},
    )
    log_temperature = low if _separable(logits, labels) else float(found.x)
    temperature = math.exp(log_temperature)
    logits = np.asarray(logits, dtype=np.float64)
    return Calibration(
        temperature=temperature,
        at_bound=bool(min(log_temperature - low, high - log_temperature) < 1e-2),
        nll_before=negative_log_likelihood(logits, labels),
        nll_after=negative_log_likelihood(logits, labels, temperature),
        ece_before=expected_calibration_error(softmax(logits, axis=1), labels),
        ece_after=expected_calibration_error(softmax(logits / temperature, axis=1), labels),
    )


def _separable(logits: NDArray[np.floating], labels: NDArray[np.int64]) -> bool:
    """Whether every true class has the largest logit: the colder, the likelier, without end."""
    others = np.array(logits, dtype=np.float64)
    rows = np.arange(len(labels))
    true = others[rows, labels]
    others[rows, labels] = -np.inf
    return bool((others.max(axis=1) < true).all())
