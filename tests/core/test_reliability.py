from collections.abc import Callable

import numpy as np
import pytest
import torch
from captum.metrics import sensitivity_max

from fmridecode.core.reliability import (
    correlation_with,
    correlations_with_others,
    mean_correlation,
    sensitivity,
    spearman_brown,
    split_half,
)
from fmridecode.core.saliency import METHODS, Saliency
from fmridecode.core.settings import SaliencyConfig

MASK = torch.ones(6, 6, dtype=torch.bool)
MASK[0] = False
LABELS = torch.tensor([0, 1, 2])


def explainer(model, *, method: str = "gradient") -> Callable[[torch.Tensor], Saliency]:
    config = SaliencyConfig(smoothgrad_sigma=0.5, smoothgrad_samples=3)

    def explain(x: torch.Tensor) -> Saliency:
        generator = torch.Generator().manual_seed(4)
        return METHODS[method](model, x, 1.0, config, generator=generator, only=LABELS[: len(x)])

    return explain


def test_sensitivity_is_that_of_captum_with_the_same_noise(a_decoder) -> None:
    model = a_decoder("cnn", MASK, gain=1.0).double()
    x = torch.randn(3, 6, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = x * MASK
    explain, draws, radius = explainer(model), 5, 0.3
    ours = sensitivity(
        explain, x, MASK, draws=draws, generator=torch.Generator().manual_seed(1), radius=radius
    )

    def gradients(inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        with torch.enable_grad():
            found = explain(inputs[0])
        return (found.maps[:, 0] * torch.exp(found.log_factor)[..., None],)

    generator = torch.Generator().manual_seed(1)

    def perturb(inputs: torch.Tensor) -> tuple[torch.Tensor]:
        noise = torch.rand(inputs.shape, generator=generator, dtype=inputs.dtype)
        return (inputs + radius * (2 * noise - 1) * MASK,)

    theirs = torch.zeros(3, dtype=torch.float64)
    for _ in range(draws):  # captum repeats the examples; one draw at a time shares the noise
        one = sensitivity_max(gradients, x, perturb_func=perturb, n_perturb_samples=1)
        theirs = torch.maximum(theirs, one)
    torch.testing.assert_close(ours, theirs)
    assert (ours > 0).all()


def test_the_weights_of_a_linear_decoder_do_not_change_with_the_input(a_decoder) -> None:
    model = a_decoder("linear", MASK)
    x = torch.randn(3, 6, 6) * MASK
    found = sensitivity(
        explainer(model, method="weights"), x, MASK, draws=3, generator=torch.Generator()
    )
    assert torch.equal(found, torch.zeros(3, dtype=torch.float64))


def test_smoothgrad_by_the_same_noise_changes_with_the_input_alone(a_decoder) -> None:
    model = a_decoder("cnn", MASK, gain=1.0)
    explain, x = explainer(model, method="smoothgrad"), torch.randn(3, 6, 6) * MASK
    generator = torch.Generator().manual_seed(0)
    still = sensitivity(explain, x, MASK, draws=2, generator=generator, radius=0.0)
    moved = sensitivity(explain, x, MASK, draws=2, generator=generator, radius=0.1)
    assert not still.any()
    assert (moved > 0).all()


def test_more_draws_cannot_find_less(a_decoder) -> None:
    model, x = a_decoder("cnn", MASK, gain=1.0), torch.randn(3, 6, 6) * MASK
    few, many = (
        sensitivity(explainer(model), x, MASK, draws=n, generator=torch.Generator().manual_seed(0))
        for n in (2, 8)
    )
    assert (many >= few).all()


def test_correlations_are_means_over_pairs() -> None:
    a, b, c = np.random.default_rng(0).standard_normal((3, 50))
    r = np.corrcoef([a, b, c])
    assert mean_correlation([a, b, c]) == pytest.approx((r[0, 1] + r[0, 2] + r[1, 2]) / 3)
    assert correlation_with(a, [b, c]) == pytest.approx((r[0, 1] + r[0, 2]) / 2)
    assert np.isnan(mean_correlation([a]))
    assert mean_correlation([a, b, 0 * c]) == pytest.approx(r[0, 1])


def test_each_participant_is_compared_with_the_mean_of_the_others() -> None:
    values = np.random.default_rng(0).standard_normal((5, 40))
    expected = [
        np.corrcoef(values[k], np.delete(values, k, axis=0).mean(axis=0))[0, 1] for k in range(5)
    ]
    others = ~np.eye(5, dtype=bool)
    assert np.allclose(correlations_with_others(values, others), expected)
    others[0] = [False, False, True, False, True]
    others[1] = False
    found = correlations_with_others(values, others)
    assert found[0] == pytest.approx(np.corrcoef(values[0], values[2] + values[4])[0, 1])
    assert np.isnan(found[1])


def test_split_halves_step_up_to_the_reliability_of_the_whole() -> None:
    """Map = signal + noise: the mean of n has reliability s / (s + noise / n), known here."""
    rng = np.random.default_rng(0)
    signal, n, noise = rng.standard_normal(20000), 20, 4.0
    values = signal + noise * rng.standard_normal((n, 20000))
    found = split_half(values, splits=200, generator=np.random.default_rng(1))
    assert found.reliability == pytest.approx(1 / (1 + noise**2 / n), abs=0.02)
    assert found.correlation == pytest.approx(1 / (1 + noise**2 / (n / 2)), abs=0.02)
    assert found.low <= found.reliability <= found.high


def test_noise_has_no_reliability() -> None:
    values = np.random.default_rng(0).standard_normal((9, 5000))
    found = split_half(values, splits=200, generator=np.random.default_rng(1))
    assert abs(found.correlation) < 0.03


def test_spearman_brown_doubles_the_length() -> None:
    assert np.allclose(spearman_brown(np.array([0, 0.5, 1])), [0, 2 / 3, 1])
