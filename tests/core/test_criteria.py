import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import pearsonr

from fmridecode.core.criteria import pearson, score
from fmridecode.core.truth import class_maps


@pytest.fixture
def values():
    return np.random.default_rng(0).standard_normal((4, 50))


@given(seed=st.integers(0, 100), scale=st.sampled_from([1e-30, 1.0, 1e12]))
def test_pearson_is_scipys_at_any_scale(seed, scale):
    a, b = np.random.default_rng(seed).standard_normal((2, 30))
    assert pearson(a * scale, b + 3) == pytest.approx(pearsonr(a, b).statistic, abs=1e-9)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9])
def test_the_correlation_with_a_constant_map_is_not_a_number(constant):
    flat, other = np.full(1000, constant, dtype=np.float32), np.arange(1000.0)
    assert np.isnan(pearson(flat, other))
    assert np.isnan(pearson(other, flat))


@pytest.mark.parametrize(("sign", "expected"), [(1, 1.0), (-1, -1.0)])
def test_saliency_equal_to_the_activation_scores_one_and_its_negative_minus_one(
    values, sign, expected
):
    truth = class_maps(values, np.arange(4), 4)
    label = 2
    maps = np.stack([values[k] - values[label] for k in range(4)])
    maps[label] = values[label] - values.mean(axis=0)
    found = list(score(sign * 7 * maps + 3, label, truth))
    assert [(a.criterion, a.target) for a in found] == [
        ("CIA", 2), ("CAD", 0), ("CAD", 1), ("CAD", 3),
    ]  # fmt: skip
    np.testing.assert_allclose([a.pearson_r for a in found], expected)


def test_cad_scores_the_map_of_the_other_class_not_the_true_one(values):
    truth = class_maps(values, np.arange(4), 4)
    maps = np.random.default_rng(1).standard_normal((4, 50))
    found = {(a.criterion, a.target): a.pearson_r for a in score(maps, 1, truth)}
    for k in (0, 2, 3):
        expected = pearsonr(maps[k], values[k] - values[1]).statistic
        assert found["CAD", k] == pytest.approx(expected)
    expected = pearsonr(maps[1], values[1] - values.mean(axis=0)).statistic
    assert found["CIA", 1] == pytest.approx(expected)


def test_missing_classes_count_neither_as_targets_nor_in_the_mean(values):
    truth = class_maps(values[[0, 3]], np.array([0, 3]), 4)
    maps = np.random.default_rng(1).standard_normal((4, 50))
    found = list(score(maps, 3, truth))
    assert [(a.criterion, a.target) for a in found] == [("CIA", 3), ("CAD", 0)]
    expected = pearsonr(maps[3], values[3] - (values[0] + values[3]) / 2).statistic
    assert found[0].pearson_r == pytest.approx(expected)


def test_a_participant_with_one_class_has_no_score(values):
    truth = class_maps(values[:1], np.array([2]), 4)
    assert list(score(values, 2, truth)) == []
