import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.special import softmax

from fmridecode.core.disagreement import agreement, disagreement
from fmridecode.core.models import Ensemble
from fmridecode.core.trained import members_logits, predict_logits


def test_of_two_members_it_is_scipys_jensen_shannon_divergence() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 20, 4)) * 3
    p, q = softmax(logits / 1.7, axis=2)
    expected = jensenshannon(p, q, axis=1) ** 2  # scipy's is the distance, its square root
    np.testing.assert_allclose(disagreement(logits, 1.7), expected, atol=1e-12)


def test_members_that_agree_do_not_differ_and_those_that_contradict_reach_the_bound() -> None:
    same = np.repeat(np.random.default_rng(0).normal(size=(1, 5, 3)), 4, axis=0)
    np.testing.assert_allclose(disagreement(same, 1.0), 0, atol=1e-12)
    apart = 1e4 * np.eye(3)[:, None]
    assert disagreement(apart, 1.0)[0] == pytest.approx(np.log(3))


def test_it_is_less_at_a_higher_temperature() -> None:
    logits = np.random.default_rng(0).normal(size=(3, 10, 4))
    assert (disagreement(logits, 5.0) < disagreement(logits, 1.0)).all()


def test_agreement_is_the_share_of_members_with_the_ensembles_choice() -> None:
    logits = np.array([[[3.0, 0.0]], [[3.0, 0.0]], [[0.0, 1.0]]])
    assert agreement(logits)[0] == pytest.approx(2 / 3)


def test_the_mean_of_the_members_logits_is_the_ensembles(a_decoder, batches) -> None:
    mask, data = torch.ones(6, 6, dtype=torch.bool), batches(9)
    whole = Ensemble([a_decoder("linear", mask), a_decoder("linear", mask)])
    each = members_logits(whole, data)
    assert each.shape[0] == 2
    torch.testing.assert_close(each.mean(dim=0), predict_logits(whole, data))
    alone = members_logits(whole.members[0], data)
    torch.testing.assert_close(alone[0], each[0])
