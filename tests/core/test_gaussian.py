import math

import pytest
import torch

from fmridecode.core.gaussian import (
    FLOOR,
    likelihood_gradient,
    moments,
    negative_log_likelihood,
    output_of,
)

OUTPUTS = torch.randn(50, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 3
NUMBERS = torch.randn(50, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def test_the_likelihood_is_that_of_torch():
    mean, variance = moments(OUTPUTS)
    expected = torch.nn.GaussianNLLLoss(reduction="none", eps=1e-12)(mean, NUMBERS, variance)
    torch.testing.assert_close(negative_log_likelihood(OUTPUTS, NUMBERS), expected)


def test_the_gradient_is_that_of_autograd():
    leaf = OUTPUTS.clone().requires_grad_()
    (expected,) = torch.autograd.grad(negative_log_likelihood(leaf, NUMBERS).sum(), leaf)
    torch.testing.assert_close(likelihood_gradient(OUTPUTS, NUMBERS), expected)


def test_outputs_of_zero_are_what_is_known_without_a_map():
    mean, variance = moments(torch.zeros(1, 2))
    assert mean.item() == 0.0
    assert variance.item() == pytest.approx(1.0, rel=1e-6)


def test_no_output_makes_the_variance_vanish_or_overflow():
    _, variance = moments(torch.tensor([[0.0, -1e6], [0.0, 1e6]]))
    assert variance[0].item() == pytest.approx(FLOOR)
    assert variance[1].item() == pytest.approx(0.99e6, rel=1e-3)
    outputs = torch.tensor([[1e4, -1e6], [1e4, 1e6]])
    assert torch.isfinite(likelihood_gradient(outputs, torch.zeros(2))).all()


@pytest.mark.parametrize("variance", [0.02, 0.5, 1.0, 7.0])
def test_a_variance_has_an_output_that_stands_for_it(variance):
    second = output_of(torch.tensor(variance, dtype=torch.float64)).item()
    outputs = torch.tensor([[0.0, second]], dtype=torch.float64)
    assert moments(outputs)[1].item() == pytest.approx(variance)


def test_a_variance_below_the_floor_is_lifted_to_it():
    second = output_of(torch.tensor(0.0)).item()
    assert math.isfinite(second)
    assert moments(torch.tensor([[0.0, second]]))[1].item() == pytest.approx(FLOOR, rel=1e-3)
