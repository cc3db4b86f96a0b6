"""When a decoder says that it does not know: probabilities that are spread over the classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr
from sklearn.metrics import roc_curve


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """The threshold of a decoder, and what it did on the maps that set it.

    Parameters
    ----------
    threshold
        A map whose `entropy` is higher is not known.
    kept
        Share of maps of the classes that were known, 0 to 1.
    refused
        Share of maps of no class that were not.
    """

    threshold: float
    kept: float
    refused: float


def entropy(probabilities: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the entropy of ``(maps, classes)`` probabilities: 0 when sure, 1 when uniform."""
    probabilities = np.asarray(probabilities, dtype=np.float64)
    return np.asarray(entr(probabilities).sum(axis=1) / np.log(probabilities.shape[1]))


def knows(probabilities: NDArray[np.floating], abstention: Abstention) -> NDArray[np.bool_]:
    """Say for each of ``(maps, classes)`` calibrated probabilities whether the map is known."""
    return np.asarray(entropy(probabilities) <= abstention.threshold)


def fit_abstention(known: NDArray[np.floating], strange: NDArray[np.floating]) -> Abstention:
    """Find the threshold that maximises ``kept + refused`` (W. J. Youden 1950).

    It lies half-way between the entropies of two maps that were seen.

    Parameters
    ----------
    known, strange
        ``(maps, classes)`` calibrated probabilities of maps of the classes, and of no class;
        neither trained the decoder.
    """
    inside, outside = entropy(known), entropy(strange)
    scores = np.concatenate([inside, outside])
    labels = np.repeat([0, 1], [len(inside), len(outside)])
    false, true, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    lowest_refused = thresholds[int(np.argmax(true - false))]
    below = scores[scores < lowest_refused].max(initial=0.0)
    threshold = float((below + min(lowest_refused, 1.0)) / 2)
    return Abstention(
        threshold=threshold,
        kept=float((inside <= threshold).mean()),
        refused=float((outside > threshold).mean()),
    )
