import numpy as np
import pytest
from scipy import stats

from fmridecode.core.permutation import permutation_test, sign_flip_p


def test_p_is_uniform_where_labels_are_exchangeable() -> None:
    rng = np.random.default_rng(0)
    units = np.repeat(np.arange(60), 4)
    p = []
    for _ in range(150):
        labels = np.concatenate([rng.permutation(4) for _ in range(60)])
        test = permutation_test(
            labels, rng.integers(0, 4, 240), units, balanced=False, generator=rng,
            n_permutations=199,
        )  # fmt: skip
        p.append(test.p)
    found = np.array(p)
    for level in (0.1, 0.25, 0.5, 0.75):
        assert abs((found <= level).mean() - level) < 0.11
    assert found.min() >= 1 / 200


def test_what_participants_share_does_not_look_like_decoding() -> None:
    units, rng = np.repeat(np.arange(20), 10), np.random.default_rng(0)
    labels = np.concatenate([np.repeat([k % 2, 1 - k % 2], [9, 1]) for k in range(20)])
    predicted = np.repeat(np.arange(20) % 2, 10)  # knows the participant, and nothing of the map
    test = permutation_test(labels, predicted, units, balanced=False, generator=rng)
    assert test.observed == pytest.approx(0.9)
    assert test.p == 1


def test_a_class_of_few_maps_weighs_as_much_when_balanced() -> None:
    labels, predicted = np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0])
    rng = np.random.default_rng(0)
    plain, balanced = (
        permutation_test(labels, predicted, np.arange(4), balanced=b, generator=rng)
        for b in (False, True)
    )
    assert (plain.observed, balanced.observed) == pytest.approx((0.75, 0.5))


def test_few_signs_are_tried_all() -> None:
    found = sign_flip_p(np.array([1.0, 2.0, 3.0, 4.0]), generator=np.random.default_rng(0))
    assert found == 2 / 16
    assert sign_flip_p(np.zeros(5), generator=np.random.default_rng(0)) == 1
    assert np.isnan(sign_flip_p(np.array([1.0, np.nan]), generator=np.random.default_rng(0)))


def test_drawn_signs_give_the_p_of_a_t_test_on_normal_differences() -> None:
    rng = np.random.default_rng(0)
    for shift in (0.0, 0.3, 0.5):
        values = rng.normal(shift, 1, 40)
        found = sign_flip_p(values, generator=np.random.default_rng(1))
        assert found == pytest.approx(stats.ttest_1samp(values, 0).pvalue, abs=0.02)
