import numpy as np
import pytest
import torch
from captum.metrics import infidelity

from fmridecode.core.faithfulness import area, curves, phase_randomised, ranks, smoothed

MASK = torch.ones(6, 6, dtype=torch.bool)
MASK[0] = False


def test_the_curve_of_a_linear_decoder_is_the_sum_of_what_is_left(a_decoder) -> None:
    model = a_decoder("linear", MASK).double()
    generator = torch.Generator().manual_seed(0)
    x, other = torch.randn(2, 6, 6, generator=generator, dtype=torch.float64) * MASK
    saliency = torch.randn(30, generator=generator).numpy()
    order = np.argsort(-saliency)
    weights, bias = model.head.weight.detach().numpy(), model.head.bias.detach().numpy()
    own, by = x[MASK].numpy(), other[MASK].numpy()
    for insertion in (False, True):
        found = curves(model, x, other, ranks(saliency)[None], steps=10, insertion=insertion)
        for step in range(11):
            first = order[: 3 * step]
            values = by.copy() if insertion else own.copy()
            values[first] = own[first] if insertion else by[first]
            assert np.allclose(found[0, step].numpy(), weights @ values + bias)


def test_removing_what_a_linear_decoder_used_lowers_its_logit_as_fast_as_can_be(a_decoder) -> None:
    model = a_decoder("linear", MASK)
    x = torch.randn(6, 6, generator=torch.Generator().manual_seed(0)) * MASK
    used = (model.head.weight[1].detach() * x[MASK]).numpy()
    rng = np.random.default_rng(0)
    places = np.stack([ranks(used), *(ranks(rng.random(30)) for _ in range(200))])
    z = curves(model, x, torch.zeros_like(x), places, steps=30, insertion=False)[..., 1]
    areas = area(z.numpy())
    assert (areas[0] < areas[1:]).all()
    exact = z[0, 0] - torch.from_numpy(np.sort(used)[::-1].cumsum().copy())
    assert np.allclose(z[0, 1:], exact, atol=1e-5)


@pytest.mark.parametrize("architecture", ["linear", "cnn"])
def test_what_a_step_takes_from_a_logit_is_what_captum_calls_infidelity(
    architecture: str, a_decoder
) -> None:
    """Infidelity: the squared gap of what a map promises of a perturbation and what it does."""
    model = a_decoder(architecture, MASK, gain=1.0).double()
    generator = torch.Generator().manual_seed(0)
    x = (torch.randn(6, 6, generator=generator, dtype=torch.float64) * MASK).requires_grad_()
    (gradient,) = torch.autograd.grad(model(x[None])[0, 1], x)
    x = x.detach()
    places = ranks(gradient[MASK].numpy())
    deleted = torch.zeros(6, 6, dtype=torch.bool)
    deleted[MASK] = torch.from_numpy(places < 9)  # three steps of ten
    theirs = infidelity(
        model, lambda inputs: (inputs * deleted, inputs * ~deleted), x[None], gradient[None],
        target=1, n_perturb_samples=1,
    )  # fmt: skip
    z = curves(model, x, torch.zeros_like(x), places[None], steps=10, insertion=False)[0, :, 1]
    ours = ((gradient * x)[deleted].sum() - (z[0] - z[3])) ** 2
    assert float(ours) == pytest.approx(float(theirs[0]), abs=1e-12)
    assert (float(theirs[0]) < 1e-20) == (architecture == "linear")


def test_a_random_map_has_no_area_to_a_random_order(a_decoder) -> None:
    model = a_decoder("cnn", MASK, gain=1.0)
    x = torch.randn(6, 6, generator=torch.Generator().manual_seed(0)) * MASK
    rng = np.random.default_rng(0)
    maps = [phase_randomised(x.numpy(), generator=rng)[MASK.numpy()] for _ in range(400)]
    places = np.stack([*map(ranks, maps), *(ranks(rng.random(30)) for _ in range(400))])
    logits = curves(model, x, torch.zeros_like(x), places, steps=10, insertion=False)
    found = area(torch.softmax(logits, dim=2)[..., 0].numpy())
    error = np.sqrt(found[:400].var() / 400 + found[400:].var() / 400)
    assert abs(found[:400].mean() - found[400:].mean()) < 3 * error


def test_insertion_ends_where_deletion_starts(a_decoder) -> None:
    model = a_decoder("cnn", MASK)
    x = torch.randn(6, 6) * MASK
    places = ranks(np.arange(30.0))[None]
    removed, put_back = (
        curves(model, x, torch.zeros_like(x), places, steps=4, insertion=i)[0]
        for i in (False, True)
    )
    assert torch.allclose(removed[0], put_back[-1])
    assert torch.allclose(removed[-1], put_back[0])
    assert torch.allclose(removed[0], model(x[None])[0], atol=1e-6)


def test_a_phase_randomised_map_keeps_the_spectrum_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    values = smoothed(rng.standard_normal((9, 10, 8)), np.ones((9, 10, 8), bool), sigma=1.0)
    found = phase_randomised(values, generator=rng)
    assert np.allclose(np.abs(np.fft.fftn(found)), np.abs(np.fft.fftn(values)), atol=1e-10)
    assert not np.allclose(found, values)


def test_smoothing_stays_in_the_mask_and_keeps_a_constant() -> None:
    mask = MASK.numpy()
    found = smoothed(np.full((6, 6), 3.0), mask, sigma=1.5)
    assert np.allclose(found[mask], 3)
    assert (found[~mask] == 0).all()


def test_the_area_of_a_constant_is_the_constant() -> None:
    assert area(np.full((2, 11), 0.4)) == pytest.approx(0.4)
