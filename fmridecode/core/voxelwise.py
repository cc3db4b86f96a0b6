"""Regression of every voxel on a number over participants, and what maps agree with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FEWEST = 3
"""Participants, at least, of a slope that is no mere difference of two."""

Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slopes:
    """A straight line in every voxel.

    Parameters
    ----------
    beta
        ``(voxels,)`` change of the map, in its SDs, for one SD of the number.
    t
        ``(voxels,)`` of the slope, with n - 2 degrees of freedom; 0 where nothing varies.
    n
        Participants.
    """

    beta: Values
    t: Values
    n: int


def slopes(maps: NDArray[np.floating], numbers: Values) -> Slopes:
    """Regress ``(participants, voxels)`` on ``(participants,)`` numbers, with an intercept."""
    n = len(numbers)
    standard = (numbers - numbers.mean()) / numbers.std()
    maps = maps - maps.mean(axis=0)
    beta = standard @ maps / n
    residual = np.square(maps).sum(axis=0) - n * np.square(beta)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = beta / np.sqrt(np.maximum(residual, 0) / (n - 2) / n)
    return Slopes(beta=beta, t=np.where(np.isfinite(t), t, 0.0), n=n)


def beyond_conditions(
    read: Callable[[int], NDArray[np.floating]],
    labels: Sequence[str],
    participants: Sequence[str],
) -> tuple[tuple[str, ...], NDArray[np.float32]]:
    """Return each participant's mean map, the mean map of each condition taken out before.

    So whoever lacks a condition is no outlier. Maps are read twice, one at a time: there may be
    many of each participant.

    Parameters
    ----------
    read
        Returns the map of a number, ``(voxels,)``.
    labels, participants
        The condition and the participant of each map.
    """
    means = {
        label: _mean(read, [i for i, each in enumerate(labels) if each == label])
        for label in dict.fromkeys(labels)
    }
    who = tuple(dict.fromkeys(participants))
    rows = [[i for i, each in enumerate(participants) if each == one] for one in who]
    beyond = [_mean(lambda i: read(i) - means[labels[i]], own) for own in rows]
    return who, np.stack(beyond).astype(np.float32)


def _mean(read: Callable[[int], NDArray[np.floating]], numbers: Sequence[int]) -> Values:
    total = np.zeros_like(read(numbers[0]), dtype=np.float64)
    for i in numbers:
        total += read(i)
    return total / len(numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """How maps of participants agree with the slopes over groups of participants.

    Parameters
    ----------
    pearson_r
        ``(participants,)`` signed, over voxels; NaN in groups of fewer than `FEWEST`.
    p
        One-sided, of the mean, under exchange of the numbers within groups.
    """

    pearson_r: Values
    p: float


def agreement(
    saliency: NDArray[np.floating],
    maps: NDArray[np.floating],
    numbers: Values,
    groups: NDArray[np.int64],
    *,
    generator: np.random.Generator,
    n_permutations: int = 1000,
) -> Agreement:
    """Correlate each participant's saliency with the slopes over the participant's group.

    A slope is linear in the numbers, so that products of maps are enough for all permutations.

    Parameters
    ----------
    saliency, maps
        ``(participants, voxels)``.
    numbers, groups
        ``(participants,)``; in a group, all maps of saliency are by one decoder.
    generator
        Source of the permutations.
    """
    r = np.full(len(numbers), np.nan)
    null = np.zeros(n_permutations)
    n_scored = 0
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        if len(rows) < FEWEST or np.ptp(numbers[rows]) == 0:
            continue
        explained, own = _unit(saliency[rows]), _centred(maps[rows])
        across, within = explained @ own.T, own @ own.T
        r[rows] = _correlations(across, within, numbers[rows][:, None])[:, 0]
        drawn = generator.permuted(np.tile(numbers[rows], (n_permutations, 1)), axis=1).T
        null += _correlations(across, within, drawn).sum(axis=0)
        n_scored += len(rows)
    if not n_scored:
        return Agreement(pearson_r=r, p=np.nan)
    observed = np.nanmean(r)
    better = int(np.sum(null / n_scored >= observed - 1e-12))
    return Agreement(pearson_r=r, p=(1 + better) / (1 + n_permutations))


def _correlations(across: Values, within: Values, numbers: Values) -> Values:
    """Return ``(participants, draws)`` of numbers ``(participants, draws)``."""
    weights = numbers - numbers.mean(axis=0)
    norms = np.sqrt(np.einsum("id,ij,jd->d", weights, within, weights))
    return np.asarray(across @ weights / norms)


def _centred(maps: NDArray[np.floating]) -> Values:
    maps = maps.astype(np.float64)
    return np.asarray(maps - maps.mean(axis=1, keepdims=True))


def _unit(maps: NDArray[np.floating]) -> Values:
    """Return maps without mean, of length 1; NaN where they are constant."""
    maps = _centred(maps)
    with np.errstate(invalid="ignore"):
        return np.asarray(maps / np.linalg.norm(maps, axis=1, keepdims=True))
