import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax

from fmridecode.core.calibration import (
    BOUNDS,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
)


def overconfident(n=4000, sharpness=3.0, seed=0):
    """Labels drawn from softmax(z), and the logits ``sharpness * z``."""
    generator = np.random.default_rng(seed)
    z = generator.standard_normal((n, 4))
    cumulative = softmax(z, axis=1).cumsum(axis=1)
    labels = (generator.random((n, 1)) > cumulative).sum(axis=1).clip(max=3)
    return sharpness * z, labels.astype(np.int64)


def test_the_temperature_undoes_a_known_sharpening():
    found = fit_temperature(*overconfident(sharpness=3.0))
    assert found.temperature == pytest.approx(3.0, rel=0.1)
    assert not found.at_bound
    assert found.nll_after < found.nll_before
    assert found.ece_after < 0.03 < found.ece_before


@given(seed=st.integers(0, 30), sharpness=st.floats(0.2, 5))
def test_no_other_temperature_has_a_lower_negative_log_likelihood(seed, sharpness):
    logits, labels = overconfident(n=100, sharpness=sharpness, seed=seed)
    found = fit_temperature(logits, labels)
    assert found.nll_after == negative_log_likelihood(logits, labels, found.temperature)
    for factor in (0.5, 0.9, 1.1, 2.0):
        other = min(max(found.temperature * factor, BOUNDS[0]), BOUNDS[1])
        assert found.nll_after <= negative_log_likelihood(logits, labels, other) + 1e-7


@pytest.mark.parametrize("margin", [10, 5000])
def test_separable_data_run_to_the_lower_bound_and_say_so(margin):
    found = fit_temperature(margin * np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 2, 0]))
    assert found.at_bound
    assert found.temperature == pytest.approx(BOUNDS[0], rel=0.02)


def test_logits_that_know_nothing_run_to_the_upper_bound_and_say_so():
    found = fit_temperature(10 * np.eye(3), np.array([1, 2, 0]))
    assert found.at_bound
    assert found.temperature == pytest.approx(BOUNDS[1], rel=0.02)


def test_the_likelihood_of_a_coin_is_log_2():
    labels = np.array([0, 1, 1])
    assert negative_log_likelihood(np.zeros((3, 2)), labels) == pytest.approx(math.log(2))
    logits = np.array([[2.0, 0.0]])
    expected = math.log(1 + math.exp(-1))
    assert negative_log_likelihood(logits, np.array([0]), 2.0) == pytest.approx(expected)


def test_the_likelihood_is_finite_where_probabilities_underflow():
    assert negative_log_likelihood(np.array([[5000.0, 0.0]]), np.array([1])) == 5000.0


def test_ece_equals_the_hand_computed_case():
    # two bins of two: confidence .95 twice with one correct; .55 and .58 with both correct
    probabilities = np.array([[0.95, 0.05], [0.05, 0.95], [0.55, 0.45], [0.42, 0.58]])
    labels = np.array([0, 0, 0, 1])
    expected = (abs(1 - 1.9) + abs(2 - 1.13)) / 4
    assert expected_calibration_error(probabilities, labels, n_bins=10) == pytest.approx(expected)


def test_ece_is_zero_when_certainty_is_deserved_and_one_when_it_is_not():
    certain = np.eye(3)
    assert expected_calibration_error(certain, np.array([0, 1, 2])) == 0
    assert expected_calibration_error(certain, np.array([1, 2, 0])) == 1
