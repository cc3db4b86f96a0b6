r"""Signed saliency maps of every class's probability, from the gradients of the logits.

With probabilities p = softmax(z / t),

.. math:: \nabla p_k = \frac{p_k}{t} \sum_j p_j (\nabla z_k - \nabla z_j).

The sum is formed with weights in log space, so a map keeps its exact direction where p_k is 0
or 1 in float32; its positive factor is returned beside it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from fmridecode.core.models import Decoder
from fmridecode.core.noise import gaussian
from fmridecode.core.portions import portion, within_memory
from fmridecode.core.settings import SaliencyConfig, chosen
from fmridecode.shapes import Jacobian, Labels, Logits, Maps


@dataclass(frozen=True, slots=True, kw_only=True)
class Saliency:
    """Maps of every class for every example.

    Parameters
    ----------
    maps
        ``(batch, classes, *grid)``, each exact up to a positive factor. Where one class an
        example was asked for (``only``), ``classes`` is 1.
    log_factor
        ``(batch, classes)``; ``maps * exp(log_factor)`` is the gradient of the probability per
        SD of the input.
    """

    maps: Tensor
    log_factor: Tensor


def logit_jacobian(model: Decoder, x: Maps) -> tuple[Logits, Jacobian]:
    """Return the logits and the gradient of each with respect to the input.

    Returns
    -------
    logits : Tensor
        ``(batch, classes)``.
    jacobian : Tensor
        ``(batch, classes, *grid)``.
    """
    return _pulled_back(model, x, lambda eye: eye)


def _pulled_back(
    model: Decoder, x: Maps, combine: Callable[[Tensor], Tensor]
) -> tuple[Logits, Tensor]:
    """Return the logits and the gradients of linear combinations of them.

    One forward pass, and one backward pass a combination, of a few maps at a time; no gradient of
    any weight is formed. ``combine`` makes the combinations, ``(rows, classes)``, of the identity.
    """

    def gradients(few: Maps) -> tuple[Logits, Tensor]:
        few = few.detach().requires_grad_()
        logits = model(few)
        rows = combine(torch.eye(logits.shape[1], dtype=few.dtype, device=few.device))
        found = few.new_empty(len(few), len(rows), *few.shape[1:])
        for k, row in enumerate(rows):
            kept = k < len(rows) - 1
            upward = row.expand_as(logits)
            found[:, k] = torch.autograd.grad(logits, few, upward, retain_graph=kept)[0]
        return logits.detach(), found

    def run(size: int) -> tuple[Logits, Tensor]:
        if size >= len(x):
            return gradients(x)
        logits, jacobians = zip(*map(gradients, torch.split(x, size)), strict=True)
        return torch.cat(logits), torch.cat(jacobians)

    return within_memory(run, portion(model, x))[0]


def probability_gradients(logits: Logits, jacobian: Jacobian, temperature: float) -> Saliency:
    """Turn the Jacobian of the logits into the gradient of every class's probability."""
    mixing, log_factor = _mixing(logits, temperature)
    return Saliency(maps=torch.einsum("bkj,bj...->bk...", mixing, jacobian), log_factor=log_factor)


def _mixing(logits: Logits, temperature: float) -> tuple[Tensor, Tensor]:
    """Return ``(batch, classes, classes)`` that mixes the logits' gradients, and its log factor.

    Its rows sum to zero.
    """
    log_p = torch.log_softmax(logits / temperature, dim=1)
    n_classes = logits.shape[1]
    own = torch.eye(n_classes, dtype=torch.bool, device=logits.device)
    others = log_p[:, None, :].expand(-1, n_classes, -1).masked_fill(own, -math.inf)
    largest = others.amax(dim=2)
    weights = torch.exp(others - largest[..., None])
    mixing = torch.diag_embed(weights.sum(dim=2)) - weights
    return mixing, log_p + largest - math.log(temperature)


def gradient(
    model: Decoder,
    x: Maps,
    temperature: float,
    config: SaliencyConfig,
    *,
    generator: torch.Generator,
    only: Labels | None = None,
) -> Saliency:
    """Gradient of each class's probability.

    Probabilities depend on differences of logits only, so one backward pass a class but the first
    is enough: the gradients of each logit minus the first one, mixed. Of one class an example,
    ``only``, a single backward pass is.
    """
    if only is not None:
        return _gradient_of_one(model, x, only, temperature)
    logits, differences = _pulled_back(model, x, lambda eye: eye[1:] - eye[0])
    mixing, log_factor = _mixing(logits, temperature)
    maps = torch.einsum("bkj,bj...->bk...", mixing[:, :, 1:], differences)
    return Saliency(maps=maps, log_factor=log_factor)


def _gradient_of_one(model: Decoder, x: Maps, labels: Labels, temperature: float) -> Saliency:
    def of_few(few: Maps, own: Labels) -> tuple[Tensor, Tensor]:
        few = few.detach().requires_grad_()
        logits = model(few)
        mixing, log_factor = _mixing(logits.detach(), temperature)
        position = torch.arange(len(own), device=own.device)
        found = torch.autograd.grad(logits, few, mixing[position, own])[0]
        return found[:, None], log_factor[position, own][:, None]

    def run(size: int) -> Saliency:
        parts = zip(torch.split(x, size), torch.split(labels, size), strict=True)
        maps, factors = zip(*(of_few(*part) for part in parts), strict=True)
        return Saliency(maps=torch.cat(maps), log_factor=torch.cat(factors))

    return within_memory(run, portion(model, x))[0]


def gradient_x_input(
    model: Decoder,
    x: Maps,
    temperature: float,
    config: SaliencyConfig,
    *,
    generator: torch.Generator,
    only: Labels | None = None,
) -> Saliency:
    """Gradient of each class's probability times the input."""
    plain = gradient(model, x, temperature, config, generator=generator, only=only)
    return Saliency(maps=plain.maps * x[:, None], log_factor=plain.log_factor)


def smoothgrad(
    model: Decoder,
    x: Maps,
    temperature: float,
    config: SaliencyConfig,
    *,
    generator: torch.Generator,
    only: Labels | None = None,
) -> Saliency:
    """Mean gradient over noisy copies (D. Smilkov et al. 2017, arXiv:1706.03825).

    The clean gradient is not added, and no magnitudes are taken. Factors are kept relative to
    the largest so far, so that neither many copies nor tiny probabilities lose the sum.
    """
    sigma = chosen(config.smoothgrad_sigma, "--smoothgrad-sigma")

    def noisy() -> Saliency:
        noise = sigma * gaussian(x, model.mask, generator=generator)
        return gradient(model, x + noise, temperature, config, generator=generator, only=only)

    def rescale(maps: Tensor, log_ratio: Tensor) -> Tensor:  # in place
        return maps.mul_(torch.exp(log_ratio).reshape(*log_ratio.shape, *([1] * (x.ndim - 1))))

    first = noisy()
    total, reference = first.maps, first.log_factor
    for _ in range(config.smoothgrad_samples - 1):
        one = noisy()
        largest = torch.maximum(reference, one.log_factor)
        total = rescale(total, reference - largest)
        total += rescale(one.maps, one.log_factor - largest)
        reference = largest
    return Saliency(maps=total, log_factor=reference - math.log(config.smoothgrad_samples))


def weights(
    model: Decoder,
    x: Maps,
    temperature: float,
    config: SaliencyConfig,
    *,
    generator: torch.Generator,
    only: Labels | None = None,
) -> Saliency:
    """Gradient of each class's logit; the weights of a linear decoder."""
    logits, jacobian = logit_jacobian(model, x)
    if only is not None:
        position = torch.arange(len(only), device=only.device)
        jacobian, logits = jacobian[position, only][:, None], logits[:, :1]
    return Saliency(maps=jacobian, log_factor=torch.zeros_like(logits))


METHODS: dict[str, Callable[..., Saliency]] = {
    "weights": weights,
    "gradient": gradient,
    "gradient-x-input": gradient_x_input,
    "smoothgrad": smoothgrad,
}
