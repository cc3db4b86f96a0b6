"""Metrics of decoding as functions of the participants that are drawn.

Each is prepared once from what every participant adds to it, so that a bootstrap of whole
participants costs a sum per resample.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import confusion_matrix

from fmridecode.core.calibration import confidence_gaps

Statistic = Callable[[NDArray[np.int64]], float]
"""Value of a metric over the participants drawn, by their indices."""

Shares = NDArray[np.float64]


def class_names(predictions: pd.DataFrame) -> list[str]:
    """Return the classes, in the order of the probability columns."""
    return [c.removeprefix("prob_") for c in predictions.columns if c.startswith("prob_")]


def probabilities(predictions: pd.DataFrame, names: list[str]) -> Shares:
    """Return the calibrated probabilities, ``(maps, classes)``, none of them 0."""
    p = predictions[[f"prob_{name}" for name in names]].to_numpy(dtype=np.float64)
    return np.asarray(np.clip(p / p.sum(axis=1, keepdims=True), np.finfo(p.dtype).eps, 1))


def indices(labels: "pd.Series[str]", names: list[str]) -> NDArray[np.int64]:
    """Return the index of each label among the classes."""
    return np.array([names.index(label) for label in labels], dtype=np.int64)


def share(predictions: pd.DataFrame, values: ArrayLike) -> Statistic:
    """Return the mean over maps, from each participant's sum and number."""
    column = pd.Series(np.asarray(values, dtype=np.float64), index=predictions.index)
    groups = column.groupby(predictions["participant_id"])
    sums, counts = groups.sum().to_numpy(), groups.count().to_numpy()
    return lambda drawn: float(sums[drawn].sum() / counts[drawn].sum())


def confusions(predictions: pd.DataFrame, names: list[str]) -> NDArray[np.int64]:
    """Return ``(participants, classes, classes)`` counts: rows are true, columns predicted."""
    return np.stack(
        [
            confusion_matrix(rows["true_label"], rows["predicted_label"], labels=names)
            for _, rows in predictions.groupby("participant_id")
        ]
    )


def of_confusions(counts: NDArray[np.int64], of: Callable[[Shares], float]) -> Statistic:
    """Return a function of the confusion matrix that is summed over the drawn participants."""
    return lambda drawn: of(counts[drawn].sum(axis=0).astype(np.float64))


def mean_recall(total: Shares) -> float:
    """Return the mean recall over the classes that are there."""
    present = total.sum(axis=1) > 0
    return float((np.diag(total)[present] / total.sum(axis=1)[present]).mean())


def calibration_error(predictions: pd.DataFrame, p: Shares, truth: NDArray[np.int64]) -> Statistic:
    """Return the expected calibration error, from each participant's gap in every bin."""
    codes = pd.factorize(predictions["participant_id"], sort=True)[0]
    gaps = np.stack(
        [confidence_gaps(p[codes == each], truth[codes == each]) for each in np.unique(codes)]
    )
    counts = np.bincount(codes)
    return lambda drawn: float(np.abs(gaps[drawn].sum(axis=0)).sum() / counts[drawn].sum())


def mean_auc(predictions: pd.DataFrame, p: Shares, truth: NDArray[np.int64]) -> Statistic | None:
    """Return the mean area over the classes that are there; None where no class has one."""
    columns = range(p.shape[1])
    areas = [each for k in columns if (each := class_auc(predictions, p[:, k], truth == k))]
    if not areas:
        return None

    def of_drawn(drawn: NDArray[np.int64]) -> float:
        values = np.array([area(drawn) for area in areas])
        found = values[np.isfinite(values)]
        return float(found.mean()) if len(found) else np.nan

    return of_drawn


def class_auc(
    predictions: pd.DataFrame, p: Shares, positive: NDArray[np.bool_]
) -> Statistic | None:
    """Return the area under the ROC curve of one class against the rest.

    The area is the share of pairs of a positive and a negative map that are in order, ties
    counting half. Pairs are summed once for every two participants, and a resample weighs them.
    None where all maps are of the class, or none is.
    """
    codes = pd.factorize(predictions["participant_id"], sort=True)[0]
    n = int(codes.max()) + 1
    if positive.all() or not positive.any():
        return None
    wins = np.zeros((n, n))
    order = np.argsort(p[~positive], kind="stable")
    negatives, owners = p[~positive][order], codes[~positive][order]
    owned = np.zeros((len(negatives) + 1, n))
    np.add.at(owned, (np.arange(1, len(negatives) + 1), owners), 1)
    below = owned.cumsum(axis=0)
    ranks = (np.searchsorted(negatives, p[positive], side=side) for side in ("left", "right"))
    lower, upper = (below[rank] for rank in ranks)
    np.add.at(wins, codes[positive], (lower + upper) / 2)
    positives, rest = (np.bincount(codes[each], minlength=n) for each in (positive, ~positive))

    def of_drawn(drawn: NDArray[np.int64]) -> float:
        weight = np.bincount(drawn, minlength=n).astype(np.float64)
        pairs = (weight @ positives) * (weight @ rest)
        return float(weight @ wins @ weight / pairs) if pairs > 0 else np.nan

    return of_drawn
