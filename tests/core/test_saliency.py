import copy

import pytest
import torch
from captum.attr import NoiseTunnel
from captum.attr import Saliency as CaptumSaliency
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from fmridecode.core import saliency
from fmridecode.core.models import ARCHITECTURES, Ensemble
from fmridecode.core.saliency import METHODS, logit_jacobian, mixing
from fmridecode.core.settings import HESSIAN, SaliencyConfig
from fmridecode.core.settings import METHODS as METHOD_NAMES

MASK = torch.ones(6, 6, dtype=torch.bool)
MASK[0] = False
CONFIG = SaliencyConfig(smoothgrad_sigma=0.7, smoothgrad_samples=6)


def explain(method, model, x, *, temperature=1.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return METHODS[method](model, x, temperature, CONFIG, generator=generator)


def restored(found):
    """Return the maps times their factor: the gradients themselves."""
    factor = torch.exp(found.log_factor.double())
    return (found.maps.double() * factor[..., None, None]).float()


def by_captum(model, x, attribute):
    return torch.stack([attribute(x.clone().requires_grad_(), k) for k in range(3)], dim=1)


def test_the_logits_of_a_linear_decoder_have_its_weights_as_gradient(a_decoder):
    model, x = a_decoder("linear", MASK), torch.randn(4, 6, 6)
    logits, jacobian = logit_jacobian(model, x)
    assert torch.equal(logits, model(x))
    torch.testing.assert_close(jacobian, model.head.weight.detach().expand(4, -1, -1))
    found = explain("weights", model, x)
    torch.testing.assert_close(restored(found)[..., MASK], jacobian)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_gradient_of_a_linear_decoder_is_the_formula_of_the_paper(a_decoder, temperature):
    model, x = a_decoder("linear", MASK), torch.randn(4, 6, 6)
    p = torch.softmax(model(x) / temperature, dim=1)
    weights = model.head.weight
    expected = torch.stack(
        [
            p[:, k, None]
            / temperature
            * sum(p[:, j, None] * (weights[k] - weights[j]) for j in range(3))
            for k in range(3)
        ],
        dim=1,
    )
    found = restored(explain("gradient", model, x, temperature=temperature))
    torch.testing.assert_close(found[:, :, MASK], expected)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_gradients_are_those_of_captum_signs_included(a_decoder, architecture):
    model, x = a_decoder(architecture, MASK, gain=1.0), torch.randn(3, 6, 6)
    oracle = CaptumSaliency(lambda x: torch.softmax(model(x) / 1.7, dim=1))
    expected = by_captum(model, x, lambda x, k: oracle.attribute(x, target=k, abs=False))
    found = restored(explain("gradient", model, x, temperature=1.7))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-7)
    assert (found < 0).any()
    torch.testing.assert_close(
        restored(explain("gradient-x-input", model, x, temperature=1.7)),
        expected * x[:, None],
        rtol=1e-4,
        atol=1e-7,
    )


@pytest.mark.filterwarnings("ignore:.*:UserWarning:captum")
def test_smoothgrad_is_captums_when_it_draws_the_same_noise(a_decoder):
    mask = torch.ones(6, 6, dtype=torch.bool)  # captum adds noise everywhere
    model, x = a_decoder("cnn", mask, gain=1.0), torch.randn(2, 6, 6)
    oracle = NoiseTunnel(CaptumSaliency(lambda x: torch.softmax(model(x), dim=1)))

    def attribute(x, k):
        torch.manual_seed(5)
        return oracle.attribute(
            x,
            target=k,
            abs=False,
            nt_type="smoothgrad",
            stdevs=CONFIG.smoothgrad_sigma,
            nt_samples=CONFIG.smoothgrad_samples,
            nt_samples_batch_size=1,
        )

    expected = by_captum(model, x, attribute)
    found = restored(explain("smoothgrad", model, x, seed=5))
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("scale", [1.0, 60.0])
def test_smoothgrads_running_rescale_is_the_plain_mean_in_float64(a_decoder, scale):
    """Also where the probabilities of the copies differ by many orders of magnitude."""
    model = a_decoder("linear", MASK)
    with torch.no_grad():
        model.head.weight.mul_(scale)
    x, temperature = torch.randn(2, 6, 6), 0.9
    generator = torch.Generator().manual_seed(8)
    noise = [
        torch.randn(2, 6, 6, generator=generator) * MASK * 0.7
        for _ in range(CONFIG.smoothgrad_samples)
    ]
    exact, copies = copy.deepcopy(model).double(), []
    for each in noise:
        noisy = (x + each).double().requires_grad_()
        z = exact.head(noisy.flatten(1)[:, exact.voxels]) / temperature
        rows = []
        for k in range(3):
            others = torch.logsumexp(z[:, [j for j in range(3) if j != k]], dim=1)
            log_odds = z[:, k] - others  # grad p = p (1 - p) grad log(p / (1 - p))
            (direction,) = torch.autograd.grad(log_odds.sum(), noisy, retain_graph=True)
            factor = torch.exp(z[:, k] + others - 2 * torch.logsumexp(z, dim=1)).detach()
            rows.append(factor[:, None, None] * direction)
        copies.append(torch.stack(rows, dim=1))
    expected = torch.stack(copies).mean(dim=0).flatten(2)
    found = explain("smoothgrad", model, x, temperature=temperature, seed=8)
    largest = expected.abs().amax(dim=2, keepdim=True)  # may be far below torch's own epsilon
    alike = functional.cosine_similarity(found.maps.double().flatten(2), expected / largest, dim=2)
    torch.testing.assert_close(alike, torch.ones(2, 3, dtype=torch.float64), rtol=0, atol=1e-5)
    if scale == 1.0:
        torch.testing.assert_close(restored(found).flatten(2), expected.float(), **CLOSE)


CLOSE = {"rtol": 1e-4, "atol": 1e-7}


def test_smoothgrad_leaves_the_clean_gradient_out_and_its_noise_in_the_mask(
    a_decoder, monkeypatch
):
    model, x = a_decoder("cnn", MASK), torch.randn(2, 6, 6)
    seen, gradient = [], saliency.gradient
    monkeypatch.setattr(
        saliency, "gradient", lambda m, x, *a, **k: seen.append(x) or gradient(m, x, *a, **k)
    )
    explain("smoothgrad", model, x)
    assert len(seen) == CONFIG.smoothgrad_samples
    for noisy in seen:
        assert torch.equal(noisy[:, ~MASK], x[:, ~MASK])
        assert torch.all(noisy[:, MASK] != x[:, MASK])


@given(margin=st.floats(20, 300), seed=st.integers(0, 20), temperature=st.floats(0.3, 3))
def test_gradients_keep_their_direction_where_p_is_0_or_1_in_float32(margin, seed, temperature):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(2, 4, generator=generator)
    logits[:, 1] += margin
    jacobian = torch.randn(2, 4, 50, generator=generator)
    found = mixing(logits, temperature)[0] @ jacobian

    # the oracle: d log p_k = sum_j p_j (dz_k - dz_j), with logsumexp over the others in float64
    z = logits.double().requires_grad_()
    for k in range(4):
        others = [j for j in range(4) if j != k]
        log_odds = z[:, k] / temperature - torch.logsumexp(z[:, others] / temperature, dim=1)
        (wrt_logits,) = torch.autograd.grad(log_odds.sum(), z)
        expected = torch.einsum("bj,bjv->bv", wrt_logits, jacobian.double())
        alike = functional.cosine_similarity(found[:, k].double(), expected, dim=1)
        torch.testing.assert_close(alike, torch.ones_like(alike), rtol=0, atol=1e-6)


def test_the_gradients_of_all_probabilities_sum_to_zero(a_decoder):
    """As they must, since the probabilities sum to one."""
    found = restored(explain("gradient", a_decoder("cnn", MASK, gain=1.0), torch.randn(3, 6, 6)))
    torch.testing.assert_close(found.sum(dim=1), torch.zeros(3, 6, 6), rtol=0, atol=1e-7)


@pytest.mark.parametrize("method", METHODS)
def test_maps_are_zero_outside_the_mask_and_the_callers_things_unchanged(a_decoder, method):
    model, x = a_decoder("cnn", MASK).eval(), torch.randn(2, 6, 6)
    before = x.clone()
    found = explain(method, model, x)
    assert found.maps.shape == (2, 3, 6, 6)
    assert found.log_factor.shape == (2, 3)
    assert torch.all(found.maps[..., ~MASK] == 0)
    assert not found.maps.requires_grad
    assert torch.equal(x, before)
    assert not x.requires_grad
    assert not model.training
    assert all(p.requires_grad and p.grad is None for p in model.parameters())


@pytest.mark.parametrize("method", METHODS)
def test_the_generator_decides_the_maps(a_decoder, method):
    model, x = a_decoder("cnn", MASK), torch.randn(2, 6, 6)
    first, again, other = (explain(method, model, x, seed=seed).maps for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert torch.equal(first, other) == (method != "smoothgrad")


def test_an_ensembles_jacobian_is_the_mean_of_its_members(a_decoder):
    members, x = [a_decoder("cnn", MASK, seed=seed) for seed in (0, 1)], torch.randn(2, 6, 6)
    mean = (logit_jacobian(members[0], x)[1] + logit_jacobian(members[1], x)[1]) / 2
    torch.testing.assert_close(logit_jacobian(Ensemble(members), x)[1], mean)


def test_every_method_of_the_settings_exists_and_no_other():
    assert {*METHODS, HESSIAN} == set(METHOD_NAMES)


@pytest.mark.parametrize("method", list(METHODS))
@pytest.mark.parametrize("architecture", ["linear", "cnn"])
def test_one_class_alone_is_explained_as_among_all(a_decoder, method, architecture):
    model, x = a_decoder(architecture, MASK, gain=1.0).double(), torch.randn(4, 6, 6).double()
    labels = torch.tensor([2, 0, 1, 2])
    everything = explain(method, model, x, temperature=0.7)
    alone = METHODS[method](
        model, x, 0.7, CONFIG, generator=torch.Generator().manual_seed(0), only=labels
    )
    position = torch.arange(4)
    torch.testing.assert_close(alone.maps[:, 0], everything.maps[position, labels])
    torch.testing.assert_close(alone.log_factor[:, 0], everything.log_factor[position, labels])
