"""Temperature scaling (C. Guo et al. 2017, arXiv:1706.04599) and what it gains."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

BOUNDS = (0.05, 20.0)
"""Lowest and highest temperature; on separable data the optimum runs to zero."""


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


def expected_calibration_error(
    probabilities: NDArray[np.floating], labels: NDArray[np.int64], n_bins: int = 15
) -> float:
    """Return the ECE of the predicted class: mean |accuracy - confidence| in equal-width bins."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(bins, weights=correct - confidence, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(labels))


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
