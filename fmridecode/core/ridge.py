"""Ridge regression of a number on many voxels and few maps, in its dual form."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

PENALTIES = tuple(float(10.0**e) for e in np.arange(-3.0, 4.5, 0.5))
"""Penalties that are tried, in units of the mean eigenvalue of the centred products."""

_AT_ONCE = 32
"""Maps read together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ridge:
    """A fitted ridge regression.

    Parameters
    ----------
    dual
        ``(training maps,)``; the weights are the sum of the maps times these.
    intercept
        What is added.
    """

    dual: NDArray[np.float64]
    intercept: float

    def predict(self, products: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predict from the products ``(maps, training maps)`` of maps with the training maps."""
        return np.asarray(products @ self.dual + self.intercept)

    def weights(
        self,
        values: NDArray[np.floating],
        mask: NDArray[np.bool_],
        indices: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return the weight of every voxel of the mask; ``indices`` are the training maps."""
        weights = np.zeros(int(mask.sum()))
        for rows, inside in _blocks(values, mask, indices):
            weights += self.dual[rows] @ inside
        return weights


def inner_products(
    values: NDArray[np.floating], mask: NDArray[np.bool_], indices: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the inner products of every two of some maps, over the voxels of the mask."""
    found = np.empty((len(indices), len(indices)))
    for rows, first in _blocks(values, mask, indices):
        for columns, second in _blocks(values, mask, indices[: rows.stop]):
            found[rows, columns] = first @ second.T
            found[columns, rows] = found[rows, columns].T
    return found


def ridge_path(
    products: NDArray[np.float64], numbers: NDArray[np.float64]
) -> Iterator[tuple[float, Ridge]]:
    """Yield each of `PENALTIES` with the regression it gives; the intercept is not penalised.

    Parameters
    ----------
    products
        ``(maps, maps)`` of the training maps.
    numbers
        ``(maps,)`` what is to be predicted.
    """
    n, mean = len(numbers), float(numbers.mean())
    centring = np.eye(n) - 1.0 / n
    spread, axes = np.linalg.eigh(centring @ products @ centring)
    turned = axes.T @ (numbers - mean)
    typical = max(float(spread.mean()), np.finfo(np.float64).tiny)
    for penalty in PENALTIES:
        dual = axes @ (turned / (np.maximum(spread, 0.0) + penalty * typical))
        yield penalty, Ridge(dual=dual, intercept=mean - float((products @ dual).mean()))


def _blocks(
    values: NDArray[np.floating], mask: NDArray[np.bool_], indices: NDArray[np.int64]
) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield the maps within the mask, some at a time: all of them may not fit into memory."""
    for start in range(0, len(indices), _AT_ONCE):
        chosen = indices[start : start + _AT_ONCE]
        yield slice(start, start + len(chosen)), values[chosen][:, mask].astype(np.float64)
