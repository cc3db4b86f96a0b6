import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from fmridecode.core.target import BOUNDS, fit_spread, pooled, standard_of
from fmridecode.errors import BadDataError

RNG = np.random.default_rng(0)
MEAN, VARIANCE = RNG.normal(size=40), RNG.uniform(0.2, 2.0, size=40)
NUMBERS = MEAN + 2.5 * np.sqrt(VARIANCE) * RNG.normal(size=40)


def likelihood(scale: float) -> float:
    variance = VARIANCE * scale**2
    return float(np.mean(np.log(2 * np.pi * variance) + (NUMBERS - MEAN) ** 2 / variance) / 2)


def test_the_factor_on_the_sds_minimises_the_negative_log_likelihood():
    spread = fit_spread(NUMBERS, MEAN, VARIANCE)
    found = minimize_scalar(likelihood, bounds=(0.1, 10), method="bounded")
    assert spread.scale == pytest.approx(found.x, abs=1e-3)
    assert spread.nll_before == pytest.approx(likelihood(1.0))
    assert spread.nll_after == pytest.approx(found.fun)
    assert not spread.at_bound
    assert spread.n_participants == 40


def test_the_factor_stays_within_its_bounds_and_says_so():
    spread = fit_spread(MEAN, MEAN, VARIANCE)
    assert spread.scale == BOUNDS[0]
    assert spread.at_bound


def test_a_participant_is_the_plain_mean_of_its_maps():
    who, mean, variance = pooled(
        ["b", "a", "b"], np.array([1.0, 5.0, 3.0]), np.array([1.0, 9.0, 3.0])
    )
    assert who == ("b", "a")
    assert mean.tolist() == [2.0, 5.0]
    assert variance.tolist() == [2.0, 9.0]


def test_each_participant_counts_once_in_mean_and_sd():
    mean, sd = standard_of({"a": 1.0, "b": 3.0, "c": 99.0}, ["a", "b"])
    assert (mean, sd) == (2.0, 1.0)


@pytest.mark.parametrize("participants", [["a"], ["a", "b"], []])
def test_participants_without_spread_teach_nothing(participants):
    with pytest.raises(BadDataError, match=f"same for all {len(participants)} training"):
        standard_of({"a": 1.0, "b": 1.0}, participants)
