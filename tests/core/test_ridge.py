import numpy as np
import pytest
from sklearn.linear_model import Ridge as Oracle

from fmridecode.core import ridge
from fmridecode.core.ridge import PENALTIES, inner_products, ridge_path

RNG = np.random.default_rng(0)
MASK = np.ones((4, 5, 3), dtype=np.bool_)
MASK[0] = False
VALUES = RNG.normal(size=(20, 4, 5, 3)).astype(np.float32) + 0.3
NUMBERS = RNG.normal(size=14) + VALUES[:14, 2, 2, 2]
TRAINING = np.arange(14)


def test_the_inner_products_are_those_within_the_mask(monkeypatch):
    monkeypatch.setattr(ridge, "_AT_ONCE", 3)  # so that the maps come in blocks
    inside = VALUES[:, MASK].astype(np.float64)
    indices = np.array([3, 0, 7, 19, 5])
    expected = inside[indices] @ inside[indices].T
    np.testing.assert_allclose(inner_products(VALUES, MASK, indices), expected)


@pytest.mark.parametrize("position", [0, 5, len(PENALTIES) - 1])
def test_weights_and_predictions_are_those_of_scikit_learn(monkeypatch, position):
    monkeypatch.setattr(ridge, "_AT_ONCE", 5)
    products = inner_products(VALUES, MASK, np.arange(20))
    penalty, found = list(ridge_path(products[:14, :14], NUMBERS))[position]
    inside = VALUES[:, MASK].astype(np.float64)
    centred = inside[:14] - inside[:14].mean(axis=0)
    typical = np.trace(centred @ centred.T) / 14
    oracle = Oracle(alpha=penalty * typical).fit(inside[:14], NUMBERS)
    weights = found.weights(VALUES, MASK, TRAINING)
    np.testing.assert_allclose(weights, oracle.coef_, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.predict(products[14:, :14]), oracle.predict(inside[14:]))
    assert found.intercept == pytest.approx(oracle.intercept_)
