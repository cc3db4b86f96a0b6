import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn

from fmridecode.core.models import Ensemble
from fmridecode.core.randomisation import (
    RANGE,
    SURVIVES,
    TRUNCATE,
    WINDOW,
    Original,
    cascade,
    layer_groups,
    n_layers,
    structural_similarity,
)
from fmridecode.core.saliency import METHODS
from fmridecode.core.settings import SaliencyConfig

MASK = torch.ones(8, 8, dtype=torch.bool)
MASK[0] = False
LINEAR_PATH = {"linear_path": True, "gain": 1.0, "dense_init": "zero"}


def everything(model: nn.Module) -> dict[str, torch.Tensor]:
    return {name: each.clone() for name, each in model.state_dict().items()}


def random_models(model: nn.Module, seed: int = 0) -> list:
    return list(cascade(model, generator=torch.Generator().manual_seed(seed)))


def trained(make: Callable, architecture: str = "cnn", **model: object):
    """Return a decoder all of whose parameters are other than those it starts from."""
    decoder = make(architecture, MASK, **model)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in decoder.parameters():
            parameter += 0.1 * torch.randn(parameter.shape, generator=generator)
    return decoder


def test_layers_become_random_from_the_last_to_the_first(a_decoder) -> None:
    model = trained(a_decoder, **LINEAR_PATH)
    names = ["logits", "convolution 2", "convolution 1"]
    assert [name for name, _ in layer_groups(model)] == names
    before, found = everything(model), random_models(model)
    assert [(each.depth, each.layer) for each in found] == list(enumerate(names, start=1))
    touched = (("head", "direct"), ("layers.1",), ("layers.0",))
    for depth, each in enumerate(found, start=1):
        changed = tuple(itertools.chain(*touched[:depth]))
        for name, value in each.model.state_dict().items():
            if not name.endswith("mask"):
                assert torch.equal(value, before[name]) != name.startswith(changed), name
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_the_same_seed_gives_the_same_weights(a_decoder) -> None:
    model = trained(a_decoder, **LINEAR_PATH)
    one, same, other = (everything(random_models(model, seed)[-1].model) for seed in (1, 1, 2))
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["head.weight"], other["head.weight"])


def test_random_layers_have_the_trained_root_mean_square_and_no_pattern(a_decoder) -> None:
    model = trained(a_decoder, **LINEAR_PATH)
    found = random_models(model)[-1].model
    for ours, theirs in (
        (found.head.weight.detach(), model.head.weight.detach()),
        (found.direct.head.weight.detach(), model.direct.head.weight.detach()),
    ):
        size = float(ours.square().mean().sqrt())
        assert size == pytest.approx(float(theirs.square().mean().sqrt()), rel=1e-5)
        assert abs(np.corrcoef(ours.flatten(), theirs.flatten())[0, 1]) < 0.5
        assert float(ours.abs().max()) < 1.9 * size  # uniform: the square root of 3


def test_a_layer_that_is_zero_is_random_all_the_same(a_decoder) -> None:
    model = a_decoder("linear", MASK, dense_init="zero")
    assert not model.head.weight.any()
    (found,) = random_models(model)
    assert found.model.head.weight.abs().min() > 0


def test_every_member_of_an_ensemble_is_randomised_differently(a_decoder) -> None:
    members = [trained(a_decoder, **LINEAR_PATH) for _ in range(2)]
    model = Ensemble(members)
    found = random_models(model)
    assert len(found) == n_layers(model) == 3
    first, second = found[0].model.members
    assert not torch.equal(first.head.weight, members[0].head.weight)
    assert not torch.equal(first.head.weight, second.head.weight)


def test_each_architecture_has_its_layers(a_decoder) -> None:
    layers = {
        architecture: [name for name, _ in layer_groups(a_decoder(architecture, MASK))]
        for architecture in ("linear", "dense", "correlation")
    }
    assert layers == {"linear": ["logits"], "dense": ["logits", "dense"], "correlation": []}
    assert random_models(a_decoder("correlation", MASK)) == []


def test_the_rank_correlations_are_those_of_scipy() -> None:
    rng, mask = np.random.default_rng(0), MASK.numpy()
    a = rng.standard_normal(mask.shape)
    b = a + rng.standard_normal(mask.shape)
    found = Original(a, mask).compare(b)
    assert found.rank_correlation == pytest.approx(spearmanr(a[mask], b[mask])[0])
    expected = spearmanr(np.abs(a[mask]), np.abs(b[mask]))[0]
    assert found.rank_correlation_absolute == pytest.approx(expected)


def windowed(values: np.ndarray, centre: tuple[int, ...]) -> np.ndarray:
    """Return the weighted neighbours of one voxel, the borders mirrored, by loops."""
    reach = int(TRUNCATE * WINDOW + 0.5)
    steps = np.arange(-reach, reach + 1)
    weights = np.exp(-(steps**2) / (2 * WINDOW**2))
    weights /= weights.sum()
    padded = np.pad(values, reach, mode="symmetric")
    around = padded[tuple(slice(c, c + 2 * reach + 1) for c in centre)]
    weight = weights[:, None, None] * weights[:, None] * weights
    return float((around * weight).sum())


def test_structural_similarity_is_the_mean_of_the_formula_over_the_mask() -> None:
    """The formula of Wang et al. 2004, voxel by voxel, in three dimensions."""
    rng = np.random.default_rng(0)
    mask = np.zeros((9, 10, 11), dtype=bool)
    mask[2:8, 1:9, 3:9] = rng.random((6, 8, 6)) < 0.8
    a, b = rng.standard_normal((2, *mask.shape))
    b += a
    x, y = ((v * mask) / np.sqrt(np.mean(v[mask] ** 2)) for v in (a, b))
    c = (0.03 * RANGE) ** 2
    expected = []
    for centre in zip(*np.nonzero(mask), strict=True):
        mx, my = windowed(x, centre), windowed(y, centre)
        vx, vy = windowed(x * x, centre) - mx**2, windowed(y * y, centre) - my**2
        cov = windowed(x * y, centre) - mx * my
        expected.append((2 * cov + c) / (vx + vy + c))
    assert structural_similarity(a, b, mask) == pytest.approx(np.mean(expected), rel=1e-9)


def test_structural_similarity_ignores_scale_and_knows_signs() -> None:
    rng, mask = np.random.default_rng(0), MASK.numpy()
    a = rng.standard_normal(mask.shape)
    assert structural_similarity(a, 7 * a, mask) == pytest.approx(1)
    assert structural_similarity(a, -a, mask) < -0.8
    assert np.isnan(structural_similarity(a, 0 * a, mask))


def survival(model: nn.Module, explain: Callable) -> float:
    """Return the mean absolute rank correlation of maps over random weights and inputs."""
    generator = torch.Generator().manual_seed(3)
    found = []
    for seed in range(6):
        x = torch.randn(1, 8, 8, generator=generator) * MASK
        last = random_models(model, seed)[-1].model
        own, random = (explain(each, x)[0, 0].detach().numpy() for each in (model, last))
        found.append(Original(own, MASK.numpy()).compare(random).rank_correlation)
    return abs(float(np.mean(found)))


def test_a_map_that_is_the_input_survives_and_the_gradient_of_a_linear_decoder_does_not(
    a_decoder,
) -> None:
    model = trained(a_decoder, "linear")

    def gradient(model: nn.Module, x: torch.Tensor) -> torch.Tensor:
        only = torch.zeros(1, dtype=torch.int64)
        generator = torch.Generator()
        return METHODS["gradient"](
            model, x, 1.0, SaliencyConfig(), generator=generator, only=only
        ).maps

    assert survival(model, lambda _, x: x[None]) > SURVIVES
    assert survival(model, gradient) < SURVIVES / 2


@pytest.mark.gpu
def test_a_decoder_on_cuda_gets_the_same_random_weights(a_decoder) -> None:
    model = trained(a_decoder, **LINEAR_PATH)
    here = everything(random_models(model)[-1].model)
    there = everything(random_models(model.to("cuda"))[-1].model)
    for name, value in here.items():
        assert there[name].is_cuda
        torch.testing.assert_close(there[name].cpu(), value)
