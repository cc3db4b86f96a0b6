"""When a decoder says that it does not know: no class of its own is probable enough.

A decoder that abstains may have been taught one more class, of maps that are of none of the others
(outliers exposed to it in training, D. Hendrycks et al. 2019, arXiv:1812.04606). That class takes
probability away from the others, and is never what a map is decoded as.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

REFUSED = 0.9
"""Share of maps of no class that the threshold refuses: of those that set it, not of any other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """The threshold of a decoder, and what it did on the maps that set it.

    Parameters
    ----------
    least
        A map whose `confidence` is lower is not known.
    other
        The class of maps that are of none of the others; empty where there is none.
    kept
        Share of maps of the classes that were known, 0 to 1.
    refused
        Share of maps of no class that were not.
    """

    least: float
    other: str = ""
    kept: float
    refused: float


def best(
    probabilities: NDArray[np.floating], names: Sequence[str], other: str
) -> NDArray[np.int64]:
    """Return the most probable class of each of ``(maps, classes)``, ``other`` left out."""
    return np.asarray(_own(probabilities, names, other).argmax(axis=1), dtype=np.int64)


def confidence(
    probabilities: NDArray[np.floating], names: Sequence[str], other: str
) -> NDArray[np.float64]:
    """Return the probability of the `best` class of each map."""
    return np.asarray(_own(probabilities, names, other).max(axis=1), dtype=np.float64)


def _own(
    probabilities: NDArray[np.floating], names: Sequence[str], other: str
) -> NDArray[np.floating]:
    if not other:
        return probabilities
    return np.where([name == other for name in names], -1.0, probabilities)


def knows(
    probabilities: NDArray[np.floating], names: Sequence[str], abstention: Abstention
) -> NDArray[np.bool_]:
    """Say for each of ``(maps, classes)`` calibrated probabilities whether the map is known."""
    return np.asarray(confidence(probabilities, names, abstention.other) >= abstention.least)


def fit_abstention(
    known: NDArray[np.floating],
    strange: NDArray[np.floating],
    names: Sequence[str],
    *,
    other: str = "",
    refused: float = REFUSED,
) -> Abstention:
    """Find the lowest threshold that refuses a share of the maps of no class.

    Parameters
    ----------
    known, strange
        ``(maps, classes)`` calibrated probabilities of maps of the classes, and of no class;
        neither trained the decoder.
    names
        Of the classes.
    other
        Which of them is of maps of none of the others; empty where none is.
    refused
        That share, 0 to 1.
    """
    inside, outside = (confidence(each, names, other) for each in (known, strange))
    highest_refused = np.quantile(outside, refused, method="inverted_cdf")
    least = min(float(np.nextafter(highest_refused, 2.0)), 1.0)
    return Abstention(
        least=least,
        other=other,
        kept=float((inside >= least).mean()),
        refused=float((outside < least).mean()),
    )
