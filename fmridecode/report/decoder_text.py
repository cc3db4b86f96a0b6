"""The part of the methods text about the decoder and its training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fmridecode.report.numbers import count, enumeration, whole
from fmridecode.report.words import ARCHITECTURES

if TYPE_CHECKING:
    from fmridecode.report.resolved import Settings

_CONVOLUTIONAL = ("cnn", "cnn-stride1", "cln")


def given_text(given: Mapping[str, Any]) -> str:
    """Describe a decoder that was trained elsewhere."""
    architecture = str(given.get("architecture", ""))
    described = ARCHITECTURES.get(architecture, architecture or "a decoder")
    n_maps, n_participants = given.get("n_maps"), given.get("n_participants")
    on = ""
    if n_maps and n_participants:
        on = f" on {count(n_maps, 'map')} of {count(n_participants, 'participant')}"
    of = f" of {given['dataset']}" if given.get("dataset") else ""
    scheme = f" ({given['training']} training)" if given.get("training") else ""
    return (
        f"No decoder was trained on these maps. They were decoded by {given.get('model', '')}: "
        f"{described}, trained{on}{of}{scheme}. Its card describes its training."
    )


def decoder_text(settings: Settings) -> str:
    """Describe the network and its training; what is not known is left out."""
    architecture = settings.get("model", "architecture")
    sentences = []
    if architecture:
        described = ARCHITECTURES.get(architecture, architecture)
        sentences.append(f"The decoder was {described}{_layers(settings)}.")
    if architecture in _CONVOLUTIONAL:
        sentences += _convolutions(settings)
    if settings.get("model", "dense_init") == "zero":
        sentences.append("The weights of the layers that make the logits started at zero.")
    members = settings.number("model", "ensemble")
    if members and members > 1:
        sentences.append(
            f"The logits of {count(members, 'decoder')} that differ in their seed were averaged."
        )
    return " ".join([*sentences, *_training(settings)])


def _layers(settings: Settings) -> str:
    filters = settings.get("model", "filters")
    if settings.get("model", "architecture") not in _CONVOLUTIONAL or not filters:
        return ""
    sizes = enumeration([str(each) for each in filters])
    return (
        f" of {count(len(filters), 'convolutional layer')} ({sizes} filters, weight-normalised; "
        "Salimans & Kingma, 2016) and one dense softmax layer"
    )


def _convolutions(settings: Settings) -> list[str]:
    sentences = _halving(settings)
    coarsen = settings.number("model", "coarsen_from")
    if coarsen:
        sentences.append(
            "Before the convolutions maps were averaged over 2 × 2 × 2 voxels until their "
            f"shortest axis had fewer than {coarsen:g} voxels."
        )
    squash = settings.number("model", "squash")
    if squash:
        sentences.append(
            f"Voxels beyond about {squash:g} SD were bent towards it, as {squash:g} tanh(x / "
            f"{squash:g})."
        )
    if settings.get("model", "linear_path"):
        sentences.append(
            "Beside the convolutions a linear path led from every voxel to the logits."
        )
    return sentences


def _halving(settings: Settings) -> list[str]:
    """Say how the grid shrinks; a small one is halved as often as it can be."""
    filters, wanted = settings.get("model", "filters"), settings.number("model", "halvings")
    if not filters or wanted is None:
        return []
    halvings = min(wanted, len(filters))
    if settings.get("model", "architecture") == "cnn-stride1":
        halvings = 0
    layers = f"the first {whole(halvings)} layers" if halvings > 1 else "the first layer"
    if len(filters) <= halvings:
        layers = "each layer" if len(filters) > 1 else "the layer"
    averaging = "averaging over 2 × 2 × 2 voxels with stride 1 followed"
    if not halvings:
        return [f"Filters were 3 × 3 × 3 voxels; {averaging} each layer."]
    others = len(filters) > halvings
    if settings.get("model", "pooling") == "stride":
        rest = f" Those of the other layers were 3 × 3 × 3 voxels; {averaging} them."
        return [
            f"Filters of {layers} were 4 × 4 × 4 voxels with stride 2, as far as the grid could "
            "be halved." + (rest if others else "")
        ]
    rest = f", and with stride 1 {'the others' if len(filters) > halvings + 1 else 'the other'}"
    return [
        "Filters were 3 × 3 × 3 voxels; average pooling over 2 × 2 × 2 voxels followed with "
        f"stride 2 {layers}, as far as the grid could be halved{rest if others else ''}."
    ]


def _training(settings: Settings) -> list[str]:
    sentences = []
    rate, batch = (settings.number("training", key) for key in ("learning_rate", "batch_size"))
    epochs, l2 = (settings.number("training", key) for key in ("epochs", "l2"))
    if rate:
        details = [f"learning rate {rate:g}"]
        if settings.get("training", "schedule") == "cosine":
            details.append("cosine schedule")
        details += [f"batches of {batch:g} maps"] if batch else []
        details += [f"at most {count(epochs, 'epoch')}"] if epochs else []
        details += [f"L2 coefficient {l2:g}".replace("e-0", "e−")] if l2 else []
        sentences.append(
            f"It was trained with Adam (Kingma & Ba, 2015; {', '.join(details)}); the epoch with "
            "the lowest loss on validation participants was kept."
        )
    voxels = settings.number("training", "voxel_rate")
    linear = settings.get("model", "architecture") == "linear"
    if voxels and (linear or settings.get("model", "linear_path")):
        sentences.append(
            f"Weights of single voxels had a learning rate of {voxels:g} divided by the number of "
            "voxels."
        )
    sentences += _scheme(settings)
    noise = settings.number("training", "input_noise")
    if noise:
        sentences.append(
            f"Gaussian noise with a standard deviation of {noise:g} was added to training maps."
        )
    if settings.get("training", "mixup"):
        sentences.append("Training maps and labels were mixed (mixup; Zhang et al., 2018).")
    return sentences


def _scheme(settings: Settings) -> list[str]:
    epsilon, steps = (settings.number("training", key) for key in ("epsilon", "steps"))
    bound = (
        f"an L2 ball of radius {epsilon:g} SD per voxel times the square root of the number of "
        "voxels"
        if epsilon
        else "an L2 ball"
    )
    hops = f", with {steps:g} hops per minibatch" if steps else ""
    pgd = f" ({steps:g} steps per update)" if steps else ""
    reuse = (
        " The direction of a perturbation was that of the pass that updated the weights."
        if settings.get("training", "gradient_reuse")
        and settings.get("training", "attack") == "untargeted"
        else ""
    )
    text = {
        "standard": "Training used no perturbation of the input.",
        "random-noise": f"For every update each map was perturbed by a draw from {bound}.",
        "adversarial": f"Training was adversarial (Algorithm 1 of McClure et al., 2020{hops}; "
        f"after Shafahi et al., 2019), with perturbations projected onto {bound}.{reuse}",
        "pgd": f"Training was adversarial with projected gradient descent{pgd} (Madry et al., "
        f"2018) within {bound}.",
    }.get(str(settings.get("training", "scheme")))
    return [text] if text else []
