"""The number of a participant that is decoded, and how a decoder knows it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fmridecode.errors import BadDataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A number that every participant has, such as the age.

    Parameters
    ----------
    name
        The column it was read from.
    unit
        Such as ``years``; empty where it is not said.
    source
        The table it was read from: a BIDS URI, or the raw data set's.
    """

    name: str
    unit: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """What the predicted SDs are multiplied with, and what that gains.

    Parameters
    ----------
    scale
        The factor that minimises the negative log-likelihood of the validation participants.
    at_bound
        Whether it ran to a bound of its range.
    nll_before, nll_after
        Mean negative log-likelihood of these participants, of the standardised number.
    n_participants
        How many they are.
    """

    scale: float
    at_bound: bool
    nll_before: float
    nll_after: float
    n_participants: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """What the two outputs of a decoder of a number stand for.

    Parameters
    ----------
    target
        The number.
    mean, sd
        Of the training participants, each counted once; the outputs are in units of them.
    spread
        The calibration of the predicted SD.
    """

    target: Target
    mean: float
    sd: float
    spread: Spread


BOUNDS = (0.1, 10.0)
"""Smallest and largest factor on the SDs."""


def fit_spread(
    numbers: NDArray[np.float64], mean: NDArray[np.float64], variance: NDArray[np.float64]
) -> Spread:
    """Find the factor on the predicted SDs, as the temperature of classes is found.

    The minimum has a closed form: the root mean square of the errors in predicted SDs.

    Parameters
    ----------
    numbers, mean, variance
        ``(participants,)`` truth and prediction of validation participants.
    """
    wanted = float(np.sqrt(np.mean(np.square(numbers - mean) / variance)))
    scale = float(np.clip(wanted, *BOUNDS))
    return Spread(
        scale=scale,
        at_bound=scale != wanted,
        nll_before=_likelihood(numbers, mean, variance),
        nll_after=_likelihood(numbers, mean, variance * scale**2),
        n_participants=len(numbers),
    )


def _likelihood(
    numbers: NDArray[np.float64], mean: NDArray[np.float64], variance: NDArray[np.float64]
) -> float:
    return float(np.mean(np.log(2 * np.pi * variance) + np.square(numbers - mean) / variance) / 2)


def pooled(
    participants: Sequence[str], mean: NDArray[np.float64], variance: NDArray[np.float64]
) -> tuple[tuple[str, ...], NDArray[np.float64], NDArray[np.float64]]:
    """Return what is predicted of each participant from the predictions of its maps.

    The mean is the plain mean over the maps, and so is the variance: the errors of one person's
    maps go together, so that more maps do not make a prediction as much surer as if they did not.

    Returns
    -------
    tuple
        The participants in the order of their first map, their means and their variances.
    """
    who = tuple(dict.fromkeys(participants))
    place = {each: i for i, each in enumerate(who)}
    index = np.array([place[each] for each in participants], dtype=np.int64)
    counts = np.bincount(index, minlength=len(who))
    means, variances = (
        np.bincount(index, weights=values, minlength=len(who)) / counts
        for values in (mean, variance)
    )
    return who, means, variances


def standard_of(
    numbers: Mapping[str, float], participants: Collection[str]
) -> tuple[float, float]:
    """Return mean and SD of the numbers of some participants, each counted once.

    Raises
    ------
    BadDataError
        They have no spread.
    """
    values = np.array([numbers[who] for who in sorted(participants)], dtype=np.float64)
    sd = float(values.std()) if len(values) else 0.0
    if sd == 0:
        raise BadDataError(
            f"The number to be decoded is the same for all {len(values)} training participants of "
            "a fold, so that there is nothing to learn: add participants, raise --folds or lower "
            "--validation-share, or try another --random-seed."
        )
    return float(values.mean()), sd
