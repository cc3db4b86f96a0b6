"""Signed saliency maps of a decoded number: gradients of the predicted mean."""

from collections.abc import Callable

import torch
from torch import Tensor

from fmridecode.core.gradients import gradient_of
from fmridecode.core.models import Decoder
from fmridecode.core.noise import gaussian
from fmridecode.core.portions import portion, within_memory
from fmridecode.core.settings import SaliencyConfig, chosen
from fmridecode.shapes import Maps, Outputs


def gradient(
    model: Decoder, x: Maps, config: SaliencyConfig, *, generator: torch.Generator
) -> Maps:
    """Gradient of the predicted mean, per SD of the map.

    In units of the SD of the training participants' numbers, as the mean itself.
    """
    inside, direct = model.within(x), model.direct_weights()

    def run(size: int) -> Tensor:
        parts = torch.split(inside, size)
        return torch.cat([gradient_of(model, few, _of_mean, direct=direct) for few in parts])

    return model.on_grid(within_memory(model, run, portion(model, inside))[0])


def gradient_x_input(
    model: Decoder, x: Maps, config: SaliencyConfig, *, generator: torch.Generator
) -> Maps:
    """Gradient times the input."""
    return gradient(model, x, config, generator=generator) * x


def smoothgrad(
    model: Decoder, x: Maps, config: SaliencyConfig, *, generator: torch.Generator
) -> Maps:
    """Mean gradient over noisy copies; the clean one is not added."""
    sigma = chosen(config.smoothgrad_sigma, "--smoothgrad-sigma")
    total = torch.zeros_like(x)
    for _ in range(config.smoothgrad_samples):
        noise = sigma * gaussian(x, model.mask, generator=generator)
        total += gradient(model, x + noise, config, generator=generator)
    return total / config.smoothgrad_samples


def _of_mean(outputs: Outputs) -> Outputs:
    """Return what picks the first of the outputs."""
    picked = torch.zeros_like(outputs)
    picked[:, 0] = 1
    return picked


METHODS: dict[str, Callable[..., Tensor]] = {
    "weights": gradient,
    "gradient": gradient,
    "gradient-x-input": gradient_x_input,
    "smoothgrad": smoothgrad,
}
"""By name; the weights of a linear decoder are its gradient."""
