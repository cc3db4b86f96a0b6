r"""Signed saliency maps of every class's probability, from the gradients of the logits.

With probabilities p = softmax(z / t),

.. math:: \nabla p_k = \frac{p_k}{t} \sum_j p_j (\nabla z_k - \nabla z_j).

The sum is formed with weights in log space, so a map keeps its exact direction where p_k is 0
or 1 in float32; its positive factor is returned beside it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fmridecode.core.gradients import Pair, deep_gradients, gradient_of, in_portions
from fmridecode.core.models import Decoder
from fmridecode.core.noise import gaussian
from fmridecode.core.settings import SaliencyConfig, chosen
from fmridecode.shapes import Inside, Jacobian, Labels, Logits, Maps


@dataclass(frozen=True, slots=True, kw_only=True)
class Saliency:
    """Maps of every class for every example.

    Parameters
    ----------
    inside
        ``(batch, classes, voxels of the mask)``, each map exact up to a positive factor. Where one
        class an example was asked for (``only``), ``classes`` is 1.
    log_factor
        ``(batch, classes)``; ``inside * exp(log_factor)`` is the gradient of the probability per
        SD of the input.
    model
        What was explained.
    """

    inside: Tensor
    log_factor: Tensor
    model: Decoder

    @property
    def maps(self) -> Tensor:
        """The maps on the grid, ``(batch, classes, *grid)``, 0 outside of the mask."""
        return self.model.on_grid(self.inside)


def logit_jacobian(model: Decoder, x: Maps) -> tuple[Logits, Jacobian]:
    """Return the logits and the gradient of each with respect to the input.

    Returns
    -------
    logits : Tensor
        ``(batch, classes)``.
    jacobian : Tensor
        ``(batch, classes, voxels of the mask)``.
    """

    def of_few(inside: Inside) -> Pair:
        entered = model.enter(inside)
        logits, deep = deep_gradients(model, entered, lambda eye: eye)
        upward = torch.eye(logits.shape[1], dtype=logits.dtype, device=logits.device)
        upward = upward.expand(len(inside), -1, -1)
        return logits, model.leave(entered, upward, deep, model.direct_weights())

    return in_portions(of_few, model, model.within(x))


def mixing(logits: Logits, temperature: float) -> tuple[Tensor, Tensor]:
    """Return what mixes the gradients of the logits into those of the probabilities.

    Returns
    -------
    weights : Tensor
        ``(batch, classes, classes)``; the rows sum to zero. A row times the logits' gradients is a
        class's map, up to a positive factor.
    log_factor : Tensor
        ``(batch, classes)``.
    """
    log_p = torch.log_softmax(logits / temperature, dim=1)
    n_classes = logits.shape[1]
    own = torch.eye(n_classes, dtype=torch.bool, device=logits.device)
    others = log_p[:, None, :].expand(-1, n_classes, -1).masked_fill(own, -math.inf)
    largest = others.amax(dim=2)
    weights = torch.exp(others - largest[..., None])
    return torch.diag_embed(weights.sum(dim=2)) - weights, log_p + largest - math.log(temperature)


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
    direct = model.direct_weights()

    def of_all(inside: Inside) -> Pair:
        entered = model.enter(inside)
        logits, deep = deep_gradients(model, entered, lambda eye: eye[1:] - eye[0])
        weights, log_factor = mixing(logits, temperature)
        if deep is not None:
            deep = torch.einsum("bkj,bj...->bk...", weights[:, :, 1:], deep)
        return model.leave(entered, weights, deep, direct), log_factor

    def of_one(inside: Inside, labels: Labels) -> Pair:
        position, factors = torch.arange(len(labels), device=labels.device), []

        def upward(logits: Logits) -> Tensor:
            weights, log_factor = mixing(logits, temperature)
            factors.append(log_factor[position, labels][:, None])
            return weights[position, labels]

        return gradient_of(model, inside, upward, direct=direct)[:, None], factors[0]

    if only is None:
        inside, log_factor = in_portions(of_all, model, model.within(x))
    else:
        inside, log_factor = in_portions(of_one, model, model.within(x), only)
    return Saliency(inside=inside, log_factor=log_factor, model=model)


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
    return replace(plain, inside=plain.inside * model.within(x)[:, None])


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
        return maps.mul_(torch.exp(log_ratio)[..., None])

    first = noisy()
    total, reference = first.inside, first.log_factor
    for _ in range(config.smoothgrad_samples - 1):
        one = noisy()
        largest = torch.maximum(reference, one.log_factor)
        total = rescale(total, reference - largest)
        total += rescale(one.inside, one.log_factor - largest)
        reference = largest
    log_factor = reference - math.log(config.smoothgrad_samples)
    return Saliency(inside=total, log_factor=log_factor, model=model)


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
    return Saliency(inside=jacobian, log_factor=torch.zeros_like(logits), model=model)


METHODS: dict[str, Callable[..., Saliency]] = {
    "weights": weights,
    "gradient": gradient,
    "gradient-x-input": gradient_x_input,
    "smoothgrad": smoothgrad,
}
