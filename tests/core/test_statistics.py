import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from fmridecode.core.statistics import bootstrap, bootstrap_means, paired_tests


def test_the_bootstrap_interval_of_a_mean_is_the_normal_one():
    values = np.random.default_rng(0).standard_normal(200)
    found = bootstrap(200, lambda drawn: values[drawn].mean(), generator=np.random.default_rng(1))
    half = 1.96 * values.std() / math.sqrt(200)
    assert found.value == values.mean()
    assert found.low == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1 * half)


def test_the_bootstrap_interval_covers_the_truth_in_about_95_of_100_samples():
    generator = np.random.default_rng(0)
    covered = 0
    for _ in range(200):
        values = generator.standard_normal(50)
        found = bootstrap(
            50, lambda d, v=values: v[d].mean(), generator=generator, n_resamples=300
        )
        covered += found.low <= 0 <= found.high
    assert 180 <= covered <= 199


def test_the_bootstrap_draws_whole_units_with_replacement_and_repeats_with_its_seed():
    drawn = []
    intervals = [
        bootstrap(
            6,
            lambda d: drawn.append(d) or float(d.mean()),
            generator=np.random.default_rng(3),
            n_resamples=50,
        )
        for _ in range(2)
    ]
    assert intervals[0] == intervals[1]
    assert all(len(d) == 6 for d in drawn)
    assert any(len(set(d.tolist())) < 6 for d in drawn)


@given(seed=st.integers(0, 50), n=st.integers(2, 40))
def test_paired_tests_are_scipys(seed, n):
    a, b = np.random.default_rng(seed).standard_normal((2, n))
    (found,) = paired_tests({"a": a, "b": b})
    expected = ttest_rel(a, b)
    assert (found.method_a, found.method_b) == ("a", "b")
    assert found.t == pytest.approx(expected.statistic)
    assert found.p == pytest.approx(expected.pvalue)
    assert found.df == n - 1
    assert found.difference == pytest.approx(a.mean() - b.mean())


def test_seven_methods_make_21_tests_corrected_for_21():
    scores = np.random.default_rng(0).standard_normal((7, 30)) + 0.3 * np.arange(7)[:, None]
    tests = paired_tests({f"m{i}": row for i, row in enumerate(scores)})
    assert len({(t.method_a, t.method_b) for t in tests}) == len(tests) == 21
    for test in tests:
        assert test.p_bonferroni == min(1.0, 21 * test.p)
    assert any(t.p_bonferroni == 1 for t in tests)
    assert any(t.p_bonferroni < 1 for t in tests)


def test_units_missing_in_either_method_are_left_out_of_that_pair():
    a, b = np.random.default_rng(0).standard_normal((2, 10))
    with_gaps = a.copy()
    with_gaps[[2, 5]] = np.nan
    (found,) = paired_tests({"a": with_gaps, "b": b})
    kept = np.isfinite(with_gaps)
    assert found.df == 7
    assert found.t == pytest.approx(ttest_rel(a[kept], b[kept]).statistic)


def test_identical_scores_do_not_differ():
    a = np.array([0.1, 0.2, 0.4])
    (found,) = paired_tests({"a": a, "b": a.copy()})
    assert (found.t, found.p, found.p_bonferroni, found.difference) == (0, 1, 1, 0)


def test_a_constant_difference_is_certain_and_nearly_constant_ones_do_not_warn():
    a = np.array([1.0, 2.0, 4.0])
    (found,) = paired_tests({"a": a, "b": a + 1})
    assert (found.t, found.p) == (-math.inf, 0)
    (found,) = paired_tests({"a": a, "b": a - 1 + np.array([0, 1e-16, 4e-16])})
    assert found.p < 1e-6


@pytest.mark.parametrize("n", [0, 1])
def test_too_few_units_give_no_test(n):
    (found,) = paired_tests({"a": np.ones(n), "b": np.zeros(n)})
    assert math.isnan(found.p)
    assert math.isnan(found.t)
    assert found.df == 0


def test_intervals_of_means_are_those_of_the_bootstrap_column_by_column() -> None:
    values = np.random.default_rng(0).normal(size=(15, 3))
    mean, low, high = bootstrap_means(values, generator=np.random.default_rng(1))
    for k in range(3):
        column = values[:, k]
        found = bootstrap(
            15, lambda drawn, c=column: float(c[drawn].mean()), generator=np.random.default_rng(1)
        )
        assert (mean[k], low[k], high[k]) == pytest.approx((found.value, found.low, found.high))
