import copy

import numpy as np
import pytest
import torch

from fmridecode.core import hessian, softening
from fmridecode.core.hessian import interactions, log_odds
from fmridecode.core.models import ARCHITECTURES, Decoder, Ensemble
from fmridecode.core.softening import soften, softened

MASK = torch.ones(6, 6, dtype=torch.bool)
MASK[0] = False
PARCELS = np.zeros((6, 6), dtype=np.int64)
PARCELS[1:3, :3], PARCELS[1:3, 3:], PARCELS[3:, 1:4], PARCELS[4:, 4:] = 1, 2, 3, 4
TEMPERATURE = 0.7
TARGET = torch.tensor([0, 2, 1])

KINDS = {
    "cnn": {"architecture": "cnn"},
    "stride": {"architecture": "cnn", "pooling": "stride", "coarsen_from": 6},
    "squash": {"architecture": "cnn", "squash": 1.5},
    "linear path": {"architecture": "cnn", "linear_path": True, "squash": 2.0},
    "no halving": {"architecture": "cnn-stride1"},
    "squashed cln": {"architecture": "cln", "squash": 1.0},
    "dense": {"architecture": "dense"},
    "correlation": {"architecture": "correlation"},
    "ensemble": {"architecture": "cnn", "squash": 1.5},
}


@pytest.fixture
def of_kind(a_decoder):
    """Return a maker of decoders in double precision."""

    def make(kind: str) -> Decoder:
        settings = dict(KINDS[kind])
        architecture = settings.pop("architecture")
        seeds = (0, 1, 2) if kind == "ensemble" else (0,)
        members = [a_decoder(architecture, MASK, seed=k, gain=1.0, **settings) for k in seeds]
        return (members[0] if len(members) == 1 else Ensemble(members)).double()

    return make


class Quadratic(Decoder):
    """Two logits, the first half of x H x, the second 0."""

    def __init__(self, matrix: torch.Tensor) -> None:
        super().__init__(torch.ones(6, 6, dtype=torch.bool))
        self.register_buffer("matrix", matrix)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        flat = x.flatten(1)
        half = torch.einsum("bi,ij,bj->b", flat, self.matrix, flat) / 2
        return torch.stack([half, torch.zeros_like(half)], dim=1)


def maps(n=3):
    return torch.randn(n, 6, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(4))


def indicator():
    return np.stack([(k == PARCELS).ravel() for k in range(1, 5)], axis=1).astype(float)


def test_of_a_quadratic_form_the_interactions_are_its_matrix_pooled_in_parcels():
    root = torch.randn(36, 36, dtype=torch.float64)
    matrix, x = root + root.T, maps(2)
    found = interactions(Quadratic(matrix), x, PARCELS, TEMPERATURE, torch.tensor([0, 0]))
    expected = indicator().T @ matrix.numpy() @ indicator() / TEMPERATURE
    np.testing.assert_allclose(found.matrix, np.stack([expected] * 2), rtol=1e-12)
    slope = (x.flatten(1) @ matrix).numpy() @ indicator() / TEMPERATURE
    np.testing.assert_allclose(found.effect, slope, rtol=1e-12)
    other = interactions(Quadratic(matrix), x, PARCELS, TEMPERATURE, torch.tensor([1, 1]))
    np.testing.assert_allclose(other.matrix, -found.matrix, rtol=1e-12)


def test_a_linear_decoder_has_the_interactions_of_the_softmax_among_the_other_classes(a_decoder):
    model, x = a_decoder("linear", MASK).double(), maps()
    found = interactions(model, x, PARCELS, TEMPERATURE, TARGET)
    weights = np.zeros((3, 36))
    weights[:, MASK.flatten().numpy()] = model.head.weight.detach().numpy()
    pooled = weights @ indicator()
    z = model(x).detach().numpy() / TEMPERATURE
    for k, target in enumerate(TARGET.tolist()):
        q = np.exp(z[k]) * (np.arange(3) != target)
        q /= q.sum()
        apart = pooled - q @ pooled
        expected = -(q[:, None] * apart).T @ apart / TEMPERATURE**2
        np.testing.assert_allclose(found.matrix[k], expected, rtol=1e-10, atol=1e-14)


def test_a_linear_decoder_has_none_between_two_classes(a_decoder):
    model, x = a_decoder("linear", MASK).double(), maps()
    found = interactions(model, x, PARCELS, TEMPERATURE, TARGET, torch.tensor([1, 0, 2]))
    assert np.all(found.matrix == 0)
    assert np.all(found.asymmetry == 0)
    assert np.all(found.effect != 0)


@pytest.mark.parametrize("against", [None, torch.tensor([1, 0, 2])])
@pytest.mark.parametrize("kind", KINDS)
def test_the_interactions_are_finite_differences_of_the_effects(of_kind, kind, against):
    model, x = softened(of_kind(kind), 4.0), maps()
    found = interactions(model, x, PARCELS, TEMPERATURE, TARGET, against)
    step = 1e-5

    def effect(moved):
        return interactions(model, moved, PARCELS, TEMPERATURE, TARGET, against).effect

    columns = []
    for number in range(1, 5):
        push = step * torch.from_numpy(number == PARCELS).double()
        columns.append((effect(x + push) - effect(x - push)) / (2 * step))
    size = np.abs(found.matrix).max()
    assert size > 1e-4
    np.testing.assert_allclose(found.matrix, np.stack(columns, axis=2), atol=1e-7 * size)
    assert np.all(found.asymmetry < 1e-10)
    np.testing.assert_array_equal(found.matrix, found.matrix.transpose(0, 2, 1))


@pytest.mark.parametrize("kind", KINDS)
def test_single_precision_is_symmetric_up_to_rounding(of_kind, kind):
    model, x = softened(of_kind(kind), 4.0), maps()
    exact = interactions(model, x, PARCELS, TEMPERATURE, TARGET)
    rounded = interactions(model.float(), x.float(), PARCELS, TEMPERATURE, TARGET)
    assert np.all(rounded.asymmetry < 1e-4)
    size = np.abs(exact.matrix).max()
    np.testing.assert_allclose(rounded.matrix, exact.matrix, atol=1e-4 * size)


def test_the_effects_are_the_gradient_of_the_probability_but_for_a_factor(of_kind):
    model, x = of_kind("cnn"), maps().requires_grad_()
    found = interactions(model, x, PARCELS, TEMPERATURE, TARGET)
    p = torch.softmax(model(x) / TEMPERATURE, dim=1)[torch.arange(3), TARGET]
    slope = torch.autograd.grad(p.sum(), x)[0].flatten(1).numpy() @ indicator()
    factor = (1 / (p * (1 - p))).detach().numpy()[:, None]
    np.testing.assert_allclose(found.effect, factor * slope, rtol=1e-9)
    np.testing.assert_allclose(found.log_odds, torch.logit(p).detach().numpy(), rtol=1e-9)


def test_log_odds_of_a_certain_class_stay_finite():
    logits = torch.tensor([[300.0, 0.0, 1.0], [-300.0, 0.0, 1.0]])
    found = log_odds(logits, 1.0, torch.tensor([0, 0]))
    others = np.log(1 + np.e)
    np.testing.assert_allclose(found.numpy(), [300 - others, -300 - others], rtol=1e-6)


def test_a_rectified_decoder_has_no_curvature_but_that_of_the_softmax(of_kind):
    hard, x = of_kind("dense"), maps()
    pair = torch.tensor([1, 0, 2])
    assert np.all(interactions(hard, x, PARCELS, TEMPERATURE, TARGET, pair).matrix == 0)
    soft = softened(hard, 4.0)
    assert np.any(interactions(soft, x, PARCELS, TEMPERATURE, TARGET, pair).matrix != 0)


def test_a_few_maps_at_a_time_give_the_same(of_kind, monkeypatch):
    model, x = softened(of_kind("linear path"), 4.0), maps(5)
    target = torch.tensor([0, 1, 2, 0, 1])
    whole = interactions(model, x, PARCELS, TEMPERATURE, target)
    monkeypatch.setattr(hessian, "portion", lambda model, x: 2)
    parts = interactions(model, x, PARCELS, TEMPERATURE, target)
    np.testing.assert_allclose(parts.matrix, whole.matrix, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(parts.effect, whole.effect, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", ["squashed cln", "ensemble"])
def test_a_decoder_that_makes_features_anew_has_the_same_interactions(of_kind, kind):
    model, x = of_kind(kind), maps()
    kept = interactions(softened(model, 4.0), x, PARCELS, TEMPERATURE, TARGET)
    assert model.recompute()
    anew = interactions(softened(model, 4.0), x, PARCELS, TEMPERATURE, TARGET)
    np.testing.assert_allclose(anew.matrix, kept.matrix, rtol=1e-9, atol=1e-12)
    assert model.recomputes


@pytest.mark.parametrize("kind", KINDS)
def test_the_decoder_and_the_maps_stay_as_they_are(of_kind, kind):
    model, x = of_kind(kind), maps()
    model.train()
    before, given = copy.deepcopy(model.state_dict()), x.clone()
    logits = model(x)
    interactions(soften(model, x).model, x, PARCELS, TEMPERATURE, TARGET)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(model(x), logits)
    assert torch.equal(x, given)
    assert not x.requires_grad
    assert all(each.training for each in model.modules())
    assert all(each.requires_grad and each.grad is None for each in model.parameters())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_decoder_is_softened_until_it_decodes_alike(a_decoder, name):
    model, x = a_decoder(name, MASK, gain=1.0), maps(6).float()
    found = soften(model, x)
    with torch.no_grad():
        before, after = model(x), found.model(x)
    assert 0 <= found.logit_change <= softening.CLOSE
    agree = (before.argmax(dim=1) == after.argmax(dim=1)).double().mean()
    assert found.same_class == pytest.approx(float(agree))
    if name in ("cnn", "cnn-stride1", "dense"):
        assert found.beta in softening.BETAS
        assert not torch.equal(before, after)
    else:
        assert found.beta is None
        assert found.model is model


def test_a_sharper_softplus_is_closer(a_decoder):
    model, x = a_decoder("cnn", MASK, gain=1.0), maps(4).float()
    with torch.no_grad():
        far = [(softened(model, beta)(x) - model(x)).abs().max() for beta in (2.0, 8.0, 32.0)]
    assert far[0] > far[1] > far[2] > 0


def test_a_decoder_that_learnt_that_two_parcels_agree_shows_that_they_interact(a_decoder):
    generator = torch.Generator().manual_seed(1)
    sides = torch.from_numpy(np.stack([k == PARCELS for k in range(1, 5)])).float()
    level = torch.randint(0, 2, (300, 4), generator=generator).float() * 2 - 1
    x = torch.einsum("bk,kij->bij", level, sides)
    x = x + 0.3 * torch.randn(x.shape, generator=generator)
    labels = (level[:, 0] == level[:, 1]).long()  # neither parcel alone says anything
    model = a_decoder("dense", MASK)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(150):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(model(x), labels).backward()
        optimiser.step()
    model.zero_grad()
    assert (model(x).argmax(dim=1) == labels).double().mean() > 0.95
    rest = torch.zeros(1, 6, 6)
    soft = softened(model, 2.0)
    matrix = interactions(soft, rest, PARCELS, 1.0, torch.tensor([1]), torch.tensor([0])).matrix[0]
    pairs = {(a, b): matrix[a, b] for a in range(4) for b in range(a + 1, 4)}
    assert max(pairs, key=lambda pair: abs(pairs[pair])) == (0, 1)
    assert pairs[0, 1] > 0
    assert pairs.pop((0, 1)) > 3 * max(map(abs, pairs.values()))
