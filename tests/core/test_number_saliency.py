import pytest
import torch

from fmridecode.core.gaussian import moments
from fmridecode.core.models import build
from fmridecode.core.number_saliency import METHODS
from fmridecode.core.settings import ModelConfig, SaliencyConfig

MASK = torch.ones(6, 6, dtype=torch.bool)
MASK[0] = False
X = torch.randn(5, 6, 6, generator=torch.Generator().manual_seed(1))
CONFIG = SaliencyConfig(smoothgrad_samples=3, smoothgrad_sigma=0.5)


def explained(method, architecture="cnn", seed=0):
    config = ModelConfig(architecture=architecture, filters=(4, 5), gain=1.0)
    model = build(config, MASK, 2, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(seed)
    return model, METHODS[method](model, X, CONFIG, generator=generator)


@pytest.mark.parametrize("method", ["gradient", "smoothgrad", "weights"])
def test_the_saliency_of_a_linear_decoder_are_its_weights(method):
    model, found = explained(method, "linear")
    weights = torch.zeros(6, 6)
    weights[MASK] = model.head.weight[0].detach()
    torch.testing.assert_close(found, weights.expand_as(X))


def test_the_gradient_is_that_of_the_predicted_mean():
    model, found = explained("gradient")
    leaf = X.clone().requires_grad_()
    (expected,) = torch.autograd.grad(moments(model(leaf))[0].sum(), leaf)
    torch.testing.assert_close(found, expected)
    assert (found < 0).any()
    assert (found[:, 0] == 0).all()


def test_gradient_x_input_is_their_product():
    torch.testing.assert_close(explained("gradient-x-input")[1], explained("gradient")[1] * X)


def test_smoothgrad_depends_on_its_seed_alone():
    one, again, other = (explained("smoothgrad", seed=seed)[1] for seed in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
    assert one.shape == X.shape
