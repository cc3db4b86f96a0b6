import math

import numpy as np
import pytest
import torch

from fmridecode.core.gradients import gradient_of
from fmridecode.core.models import (
    ARCHITECTURES,
    ConvolutionalDecoder,
    Ensemble,
    build,
)
from fmridecode.core.settings import ModelConfig

TRAINED = [name for name in ARCHITECTURES if name != "correlation"]


def a_mask(*grid: int) -> torch.Tensor:
    mask = torch.ones(grid, dtype=torch.bool)
    mask[0], mask[..., -1] = False, False
    return mask


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("grid", [(9, 8), (8, 9, 7)])
def test_no_decoder_sees_anything_outside_the_mask(architecture, grid, a_decoder):
    mask = a_mask(*grid)
    decoder = a_decoder(architecture, mask, linear_path=True)
    x = torch.randn(2, *grid, requires_grad=True)
    logits = decoder(x)
    assert logits.shape == (2, 3)
    (gradient,) = torch.autograd.grad(logits.square().sum(), x)
    assert torch.all(gradient[:, ~mask] == 0)
    assert torch.all(gradient[:, mask] != 0) or architecture in ("cnn", "cnn-stride1", "dense")
    assert gradient[:, mask].abs().sum() > 0
    torch.testing.assert_close(decoder(x + 100 * ~mask), logits)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_decoders_that_say_they_are_linear_are_and_the_others_are_not(architecture, a_decoder):
    mask = a_mask(8, 8)
    decoder = a_decoder(architecture, mask)
    a, b, zero = torch.randn(1, 8, 8), torch.randn(1, 8, 8), torch.zeros(1, 8, 8)
    defect = decoder(a + b) - decoder(a) - decoder(b) + decoder(zero)
    assert decoder.is_linear == bool(defect.abs().max() < 1e-5)


def test_the_linear_decoder_is_a_weighted_sum_over_the_mask(a_decoder):
    mask = a_mask(6, 7)
    decoder = a_decoder("linear", mask)
    x = torch.randn(4, 6, 7)
    expected = x[:, mask] @ decoder.head.weight.T + decoder.head.bias
    torch.testing.assert_close(decoder(x), expected)


def test_the_correlation_decoder_is_the_cosine_with_each_mean(a_decoder):
    mask = a_mask(6, 7)
    decoder, means = a_decoder("correlation", mask), torch.randn(3, 6, 7)
    decoder.remember(means)
    x = torch.randn(1, 6, 7)
    a = x[0][mask].numpy()
    expected = [a @ m / np.linalg.norm(a) / np.linalg.norm(m) for m in means[:, mask].numpy()]
    np.testing.assert_allclose(decoder(x)[0], expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("halvings", "n_features"), [(5, 768), (0, 57_768_256)], ids=["cnn", "cnn-stride1"]
)
def test_the_features_of_the_hcp_grid_are_those_of_the_paper(halvings, n_features):
    with torch.device("meta"):
        decoder = ConvolutionalDecoder(
            torch.ones(91, 109, 91, dtype=torch.bool),
            7,
            filters=(32, 32, 64, 64, 64),
            halvings=halvings,
            activation=torch.relu,
            linear_path=False,
            strided=False,
            coarsen_from=0,
            squash=0.0,
        )
    assert decoder.head.weight.shape == (7, n_features)


def test_the_stride_1_architecture_does_not_halve(a_decoder):
    assert a_decoder("cnn-stride1", a_mask(9, 9)).halvings == 0
    assert a_decoder("cnn", a_mask(9, 9)).halvings == 2
    assert a_decoder("cnn", a_mask(9, 9), halvings=1).halvings == 1


def test_a_grid_too_small_for_the_halvings_uses_as_many_as_it_bears(a_decoder):
    decoder = a_decoder("cnn", a_mask(4, 9, 9), filters=(4, 4, 4))
    assert decoder.halvings == 1
    assert decoder(torch.randn(2, 4, 9, 9)).shape == (2, 3)


def test_filters_start_with_the_gain_as_their_norm_and_biases_at_zero(a_decoder):
    decoder = a_decoder("cnn", a_mask(8, 8, 8), gain=0.25)
    *filters, dense = decoder.weights()
    for weight in filters:
        torch.testing.assert_close(weight.flatten(1).norm(dim=1), torch.full((len(weight),), 0.25))
    biases = [p for name, p in decoder.named_parameters() if name.endswith("bias")]
    assert len(biases) == 3
    assert all(torch.all(bias == 0) for bias in biases)
    assert dense.abs().max() <= math.sqrt(6 / sum(dense.shape))
    assert dense.abs().max() > 0.9 * math.sqrt(6 / sum(dense.shape))


def test_directions_of_filters_start_he_normal(a_decoder):
    decoder = a_decoder("cnn", a_mask(8, 8, 8), filters=(32, 32))
    direction = decoder.layers[1].parametrizations.weight.original1
    assert float(direction.detach().std()) == pytest.approx(math.sqrt(2 / (32 * 27)), rel=0.02)


def test_the_linear_path_adds_a_linear_decoder_to_the_convolutions(a_decoder):
    mask, x = a_mask(8, 8), torch.randn(2, 8, 8)
    decoder = a_decoder("cnn", mask, linear_path=True)
    both, direct = decoder(x), decoder.direct(x)
    decoder.direct = None
    torch.testing.assert_close(both, decoder(x) + direct)
    assert direct.abs().min() > 0


@pytest.mark.parametrize("architecture", TRAINED)
def test_the_penalised_weights_are_all_that_is_trained_but_gains_and_biases(
    architecture, a_decoder
):
    decoder = a_decoder(architecture, a_mask(8, 8), linear_path=True)
    trained = sum(
        p.numel()
        for name, p in decoder.named_parameters()
        if not name.endswith(("bias", "original0"))
    )
    assert sum(weight.numel() for weight in decoder.weights()) == trained


@pytest.mark.parametrize("architecture", TRAINED)
def test_the_seed_decides_the_weights(architecture, a_decoder):
    mask = a_mask(8, 8)
    x = torch.randn(2, 8, 8)
    first, again, other = (a_decoder(architecture, mask, seed=s)(x) for s in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_building_leaves_the_global_random_state_alone(a_decoder):
    state = torch.get_rng_state()
    first = a_decoder("linear", a_mask(8, 8)).head.weight
    torch.manual_seed(5)
    assert torch.equal(first, a_decoder("linear", a_mask(8, 8)).head.weight)
    torch.set_rng_state(state)


def test_an_ensemble_averages_logits(a_decoder):
    mask, x = a_mask(8, 8), torch.randn(4, 8, 8)
    members = [a_decoder("cnn", mask, seed=seed) for seed in range(3)]
    expected = (members[0](x) + members[1](x) + members[2](x)) / 3
    torch.testing.assert_close(Ensemble(members)(x), expected)
    assert not Ensemble(members).is_linear
    assert Ensemble([a_decoder("linear", mask)]).is_linear


def test_zero_initialised_logit_layers_leave_no_random_pattern_in_the_logits() -> None:
    mask = torch.ones(6, 7, 6, dtype=torch.bool)
    x = torch.randn(2, *mask.shape, generator=torch.Generator().manual_seed(0))
    for architecture in ("linear", "cnn", "dense"):
        config = ModelConfig(
            architecture=architecture, filters=(4,), hidden=3, linear_path=True, dense_init="zero"
        )
        model = build(config, mask, 3, generator=torch.Generator().manual_seed(1))
        assert not model(x).any()
        hidden = [weight for weight in model.weights() if weight.any()]
        assert bool(hidden) == (architecture != "linear")


def test_squashing_bends_outliers_and_leaves_the_rest() -> None:
    mask = torch.ones(6, 7, 6, dtype=torch.bool)
    x = torch.randn(1, *mask.shape, generator=torch.Generator().manual_seed(0)) * 0.01
    plain, squashed = (
        build(
            ModelConfig(filters=(4,), squash=squash),
            mask,
            3,
            generator=torch.Generator().manual_seed(1),
        )
        for squash in (0.0, 3.0)
    )
    torch.testing.assert_close(plain(x), squashed(x), rtol=1e-3, atol=1e-6)
    outlier = x.clone()
    outlier[0, 3, 3, 3] = 1e6
    capped = x.clone()
    capped[0, 3, 3, 3] = 30.0
    torch.testing.assert_close(squashed(outlier), squashed(capped))


def test_a_coarsened_decoder_convolves_block_means_and_keeps_every_voxel_linear() -> None:
    mask = torch.ones(12, 13, 12, dtype=torch.bool)
    config = ModelConfig(filters=(4,), halvings=1, coarsen_from=12, linear_path=True)
    model = build(config, mask, 3, generator=torch.Generator().manual_seed(0))
    assert model.coarsenings == 1
    assert model.head.in_features == 4 * 3**3
    assert model.direct.head.in_features == mask.sum()
    x = torch.randn(1, *mask.shape, generator=torch.Generator().manual_seed(1))
    swapped = x.clone()
    swapped[0, 0, 0, 0], swapped[0, 1, 1, 1] = x[0, 1, 1, 1], x[0, 0, 0, 0]
    torch.testing.assert_close(model(x) - model.direct(x), model(swapped) - model.direct(swapped))


@pytest.mark.parametrize("grid", [(12, 13, 11), (9, 8)])
def test_a_strided_convolution_is_every_second_voxel_of_a_wider_one(grid):
    mask = torch.ones(grid, dtype=torch.bool)
    config = ModelConfig(filters=(4,), halvings=1, pooling="stride")
    model = build(config, mask, 3, generator=torch.Generator().manual_seed(0))
    x = torch.randn(2, *grid, generator=torch.Generator().manual_seed(1))
    layer = model.layers[0]
    convolve = torch.nn.functional.conv3d if len(grid) == 3 else torch.nn.functional.conv2d
    plain = convolve(x[:, None], layer.weight, layer.bias, padding=1).relu()
    every_second = plain[(..., *[slice(None, None, 2)] * len(grid))]
    torch.testing.assert_close(model(x), model.head(every_second.flatten(1)))


def test_strided_convolutions_see_every_voxel_in_as_many_windows():
    mask = torch.ones(12, 12, 12, dtype=torch.bool)
    config = ModelConfig(filters=(1,), halvings=1, pooling="stride")
    model = build(config, mask, 2, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        model.layers[0].parametrizations.weight.original1.fill_(1.0)
        model.head.weight.fill_(1.0)
    x = torch.ones(1, 12, 12, 12, requires_grad=True)
    (gradient,) = torch.autograd.grad(model(x)[0, 0], x)
    inner = gradient[0, 1:-1, 1:-1, 1:-1]
    torch.testing.assert_close(inner, torch.full_like(inner, float(inner[0, 0, 0])))


@pytest.mark.parametrize("squash", [0.0, 2.0])
def test_members_that_prepare_alike_share_it_without_a_change(a_decoder, squash):
    mask = torch.ones(8, 9, 10, dtype=torch.bool)
    mask[0] = False
    alike = {"coarsen_from": 6, "linear_path": True, "squash": squash}
    members = [a_decoder("cnn", mask, seed=seed, **alike).double() for seed in (0, 1)]
    odd = a_decoder("cnn", mask, coarsen_from=6, linear_path=True, squash=1.0).double()
    x = torch.randn(3, 8, 9, 10, dtype=torch.float64, requires_grad=True)
    for together in (members, [*members, odd]):
        expected = torch.stack([member(x) for member in together]).mean(dim=0)
        found = Ensemble(together)(x)
        assert torch.equal(found, expected)
        gradients = [torch.autograd.grad(z[:, 0].sum(), x)[0] for z in (found, expected)]
        torch.testing.assert_close(*gradients, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize(
    ("architecture", "model"),
    [
        ("linear", {}),
        ("dense", {}),
        ("correlation", {}),
        ("cnn", {"coarsen_from": 3, "linear_path": True, "squash": 2.0}),
        ("cnn", {"coarsen_from": 5, "squash": 1.0}),
        ("cnn-stride1", {"linear_path": True}),
    ],
)
def test_the_way_back_from_the_features_to_the_voxels_is_that_of_the_chain_rule(
    a_decoder, architecture, model, alike
) -> None:
    """Two halvings of 7 x 9 x 6 drop slices of every axis."""
    mask = torch.rand(7, 9, 6, generator=torch.Generator().manual_seed(3)) > 0.3
    members = [a_decoder(architecture, mask, seed=seed, **model).double() for seed in (0, 1)]
    if not alike and architecture == "cnn":
        members[1].squash = 3.0
    decoder = Ensemble(members)
    x = torch.randn(2, 7, 9, 6, dtype=torch.float64, requires_grad=True)
    upward = torch.randn(2, 3, dtype=torch.float64)
    (expected,) = torch.autograd.grad(decoder(x), x, upward)
    found = gradient_of(
        decoder, decoder.within(x.detach()), lambda _: upward, direct=decoder.direct_weights()
    )
    torch.testing.assert_close(found, expected[:, mask], rtol=1e-10, atol=1e-12)
    assert torch.all(expected[:, ~mask] == 0)
