"""The two criteria of interpretability: signed Pearson correlations over the mask's voxels."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from fmridecode.core.truth import ClassMaps

Criterion = Literal["CIA", "CAD"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """How one saliency map of one example resembles the activation.

    Parameters
    ----------
    criterion
        CIA, class informative activation: the true class's map against M_y minus the mean over
        classes. CAD, class activation difference: another class's map against M_k minus M_y.
    target
        Index of the class whose map is scored.
    pearson_r
        Signed correlation; NaN when either side is constant.
    """

    criterion: Criterion
    target: int
    pearson_r: float


def pearson(a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Return the correlation of two vectors in float64, NaN when one is constant."""
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    a = np.asarray(a, dtype=np.float64)
    b = np.asarray(b, dtype=np.float64)
    a, b = a - a.mean(), b - b.mean()
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def score(maps: NDArray[np.floating], label: int, truth: ClassMaps) -> Iterator[Alignment]:
    """Yield the CIA and, for every other class, the CAD of one example.

    Parameters
    ----------
    maps
        ``(classes, voxels)``, the saliency of every class given this example.
    label
        The example's true class.
    truth
        The participant's class maps; classes the participant lacks are left out. With fewer
        than two, nothing is yielded.
    """
    if truth.n_classes < 2:
        return
    yield Alignment(
        criterion="CIA", target=label, pearson_r=pearson(maps[label], truth.informative(label))
    )
    for target in np.flatnonzero(truth.present):
        if target != label:
            r = pearson(maps[target], truth.difference(int(target), label))
            yield Alignment(criterion="CAD", target=int(target), pearson_r=r)
