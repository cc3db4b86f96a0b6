import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import entropy as scipy_entropy

from fmridecode.core.abstention import Abstention, entropy, fit_abstention, knows


def _rows(confidence: list[float]) -> np.ndarray:
    """Return rows of three classes, the first of which has these probabilities."""
    first = np.array(confidence)[:, None]
    return np.hstack([first, (1 - first) / 2, (1 - first) / 2])


def test_entropy_is_scipys_from_sure_to_uniform() -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(5), size=20)
    np.testing.assert_allclose(entropy(rows), scipy_entropy(rows, base=5, axis=1))
    assert entropy(np.eye(4)).tolist() == [0, 0, 0, 0]
    np.testing.assert_allclose(entropy(np.full((1, 7), 1 / 7)), 1)


def test_a_threshold_between_groups_that_do_not_overlap_keeps_all_and_refuses_all() -> None:
    known, strange = _rows([0.9, 0.95, 0.8]), _rows([0.4, 0.5])
    found = fit_abstention(known, strange)
    assert (found.kept, found.refused) == (1, 1)
    assert entropy(known).max() < found.threshold < entropy(strange).min()
    assert knows(known, found).all()
    assert not knows(strange, found).any()


@given(st.integers(0, 10_000))
def test_no_other_threshold_has_a_higher_sum_of_kept_and_refused(seed: int) -> None:
    rng = np.random.default_rng(seed)
    known = rng.dirichlet(np.full(4, 0.5), size=12)
    strange = rng.dirichlet(np.full(4, 2.0), size=9)
    found = fit_abstention(known, strange)
    assert found.kept == knows(known, found).mean()
    assert found.refused == (~knows(strange, found)).mean()
    for other in np.linspace(0, 1, 101):
        kept = (entropy(known) <= other).mean()
        refused = (entropy(strange) > other).mean()
        assert found.kept + found.refused >= kept + refused - 1e-12


def test_where_known_maps_are_the_less_sure_ones_the_threshold_stays_within_the_range() -> None:
    found = fit_abstention(_rows([0.4]), _rows([0.9]))
    assert 0 <= found.threshold <= 1


def test_a_map_at_the_threshold_is_known() -> None:
    rows = _rows([0.7])
    threshold = float(entropy(rows)[0])
    assert knows(rows, Abstention(threshold=threshold, kept=1.0, refused=1.0)).all()
    lower = float(np.nextafter(threshold, 0))
    assert not knows(rows, Abstention(threshold=lower, kept=1.0, refused=1.0)).any()
    assert threshold == pytest.approx(0.745, abs=0.01)
