import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmridecode.core.abstention import Abstention, best, confidence, fit_abstention, knows

NAMES = ("a", "b", "c", "d")
WITH_OTHER = ("a", "b", "other", "c")


def _rows(probable: list[float]) -> np.ndarray:
    """Return rows of four classes, the first of which has these probabilities."""
    first = np.array(probable)[:, None]
    return np.hstack([first, *[(1 - first) / 3] * 3])


def test_the_confidence_is_the_probability_of_the_best_class() -> None:
    rows = np.random.default_rng(0).dirichlet(np.ones(4), size=20)
    np.testing.assert_array_equal(confidence(rows, NAMES, ""), rows.max(axis=1))
    np.testing.assert_array_equal(best(rows, NAMES, ""), rows.argmax(axis=1))


def test_what_is_of_no_class_takes_confidence_away_and_is_never_the_best() -> None:
    rows = np.array([[0.1, 0.2, 0.6, 0.1], [0.0, 0.0, 1.0, 0.0], [0.7, 0.1, 0.1, 0.1]])
    assert best(rows, WITH_OTHER, "other").tolist() == [1, 0, 0]
    assert confidence(rows, WITH_OTHER, "other").tolist() == [0.2, 0.0, 0.7]


def test_a_threshold_between_groups_that_do_not_overlap_keeps_all_and_refuses_all() -> None:
    known, strange = _rows([0.9, 0.95, 0.8]), _rows([0.4, 0.5])
    found = fit_abstention(known, strange, NAMES)
    assert (found.kept, found.refused) == (1, 1)
    assert 0.5 < found.least < 0.8
    assert knows(known, NAMES, found).all()
    assert not knows(strange, NAMES, found).any()


@given(st.integers(0, 10_000), st.floats(0.1, 1.0))
def test_the_threshold_is_the_lowest_that_refuses_the_share(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    known = rng.dirichlet(np.full(4, 0.5), size=12)
    strange = rng.dirichlet(np.full(4, 2.0), size=9)
    found = fit_abstention(known, strange, NAMES, refused=share)
    assert found.kept == knows(known, NAMES, found).mean()
    assert found.refused == (~knows(strange, NAMES, found)).mean()
    assert found.refused >= share
    lower = Abstention(least=float(np.nextafter(found.least, 0)), kept=0.0, refused=0.0)
    assert (~knows(strange, NAMES, lower)).mean() < found.refused


def test_a_map_at_the_threshold_is_known() -> None:
    rows = _rows([0.7])
    assert knows(rows, NAMES, Abstention(least=0.7, kept=1.0, refused=1.0)).all()
    higher = float(np.nextafter(0.7, 1))
    assert not knows(rows, NAMES, Abstention(least=higher, kept=1.0, refused=1.0)).any()
    assert pytest.approx(0.7) == confidence(rows, NAMES, "")[0]


def test_a_class_called_other_is_like_any_where_no_class_stands_for_the_others() -> None:
    rows = np.array([[0.1, 0.2, 0.6, 0.1]])
    assert best(rows, WITH_OTHER, "").tolist() == [2]
    assert confidence(rows, WITH_OTHER, "").tolist() == [0.6]
