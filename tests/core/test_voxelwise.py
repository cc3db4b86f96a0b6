import numpy as np
import pytest
from scipy import stats

from fmridecode.core.voxelwise import agreement, beyond_conditions, slopes

RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(50, 12, size=30)
PATTERN = RNG.normal(size=200)
MAPS = RNG.normal(size=(30, 200)) + 0.8 * np.outer(stats.zscore(NUMBERS), PATTERN)


def test_slope_and_t_are_those_of_a_linear_regression() -> None:
    found = slopes(MAPS, NUMBERS)
    for voxel in (0, 77, 199):
        line = stats.linregress(stats.zscore(NUMBERS), MAPS[:, voxel])
        assert found.beta[voxel] == pytest.approx(line.slope)
        assert found.t[voxel] == pytest.approx(line.slope / line.stderr)
    assert found.n == 30


def test_a_voxel_without_spread_has_no_t() -> None:
    maps = MAPS.copy()
    maps[:, 3] = 2.0
    assert slopes(maps, NUMBERS).t[3] == 0


def test_a_participant_who_lacks_a_condition_is_no_outlier() -> None:
    maps = np.array([[10.0], [1.0], [12.0], [3.0], [14.0]], dtype=np.float32)
    who, means = beyond_conditions(
        lambda i: maps[i], ["a", "b", "a", "b", "a"], ["x", "x", "y", "y", "z"]
    )
    assert who == ("x", "y", "z")
    np.testing.assert_allclose(means[:, 0], [-1.5, 0.5, 2.0])


def test_agreement_is_the_correlation_with_the_slopes_of_the_own_group() -> None:
    groups = np.repeat([1, 2], 15)
    saliency = PATTERN + RNG.normal(size=(30, 200))
    found = agreement(saliency, MAPS, NUMBERS, groups, generator=np.random.default_rng(0))
    for i in (0, 20):
        own = groups == groups[i]
        beta = slopes(MAPS[own], NUMBERS[own]).beta
        assert found.pearson_r[i] == pytest.approx(np.corrcoef(saliency[i], beta)[0, 1])
    assert found.p == pytest.approx(1 / 1001)


def test_saliency_that_says_nothing_has_any_p() -> None:
    groups = np.repeat([1, 2, 3], 10)
    ps = []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        maps, saliency = rng.normal(size=(30, 50)), rng.normal(size=(30, 50))
        found = agreement(saliency, maps, NUMBERS, groups, generator=rng, n_permutations=99)
        ps.append(found.p)
    assert stats.kstest(ps, "uniform").pvalue > 0.001


def test_groups_too_small_for_a_slope_are_left_out() -> None:
    groups = np.array([1, 1, *([2] * 28)])
    found = agreement(MAPS, MAPS, NUMBERS, groups, generator=np.random.default_rng(0))
    assert np.isnan(found.pearson_r[:2]).all()
    assert np.isfinite(found.pearson_r[2:]).all()
    none = agreement(MAPS, MAPS, NUMBERS, np.arange(30), generator=np.random.default_rng(0))
    assert np.isnan(none.p)
