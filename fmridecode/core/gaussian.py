r"""The two outputs of a decoder of a number: the mean and the variance of a Gaussian.

Numbers are standardised, so that the first output is the mean in units of their SD, and

.. math:: \sigma^2 = f + (1 - f) \, \mathrm{softplus}(o_2 + \log(e - 1))

with the floor f = `FLOOR`: outputs of 0 mean what is known without a map, mean 0 and variance 1;
no variance comes so close to 0 that the likelihood runs away on a map that is learnt by heart; and
it grows only linearly, so that no output overflows.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

from fmridecode.shapes import Outputs, PerExample

N_OUTPUTS = 2

FLOOR = 0.01
"""The least variance, as a share of that of the training participants."""

_OFFSET = math.log(math.e - 1)


def moments(outputs: Outputs) -> tuple[PerExample, PerExample]:
    """Return mean and variance, in units of the standardised number."""
    return outputs[:, 0], FLOOR + (1 - FLOOR) * functional.softplus(outputs[:, 1] + _OFFSET)


def output_of(variance: Tensor) -> Tensor:
    """Return the second output that stands for a variance; variances near the floor are lifted."""
    above = ((variance - FLOOR) / (1 - FLOOR)).clamp(min=1e-6)
    return above + torch.log(-torch.expm1(-above)) - _OFFSET


def negative_log_likelihood(outputs: Outputs, numbers: PerExample) -> PerExample:
    """Return each example's, without the constant log(2 pi) / 2."""
    mean, variance = moments(outputs)
    return (torch.log(variance) + torch.square(numbers - mean) / variance) / 2


def likelihood_gradient(outputs: Outputs, numbers: PerExample) -> Outputs:
    """Return the gradient of `negative_log_likelihood` with respect to the outputs."""
    mean, variance = moments(outputs)
    error = mean - numbers
    of_variance = (1 - torch.square(error) / variance) / (2 * variance)
    slope = (1 - FLOOR) * torch.sigmoid(outputs[:, 1] + _OFFSET)
    return torch.stack([error / variance, of_variance * slope], dim=1)
