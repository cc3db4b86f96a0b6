"""Start a training from the convolutional layers of a trained decoder."""

from dataclasses import replace
from typing import cast

import torch
from torch import Tensor, nn

from fmridecode.core.models import Decoder, Ensemble
from fmridecode.core.settings import ModelConfig
from fmridecode.errors import UsageError

TAKEN_OVER = ("filters", "halvings", "pooling", "coarsen_from", "squash")
"""Settings of a model that say what its convolutional layers are and what they see."""


def with_layers_of(config: ModelConfig, source: ModelConfig) -> ModelConfig:
    """Return a config whose convolutional layers are those of another."""
    return replace(config, **{name: getattr(source, name) for name in TAKEN_OVER})


def members_of(model: Decoder) -> list[Decoder]:
    """Return the decoders of an ensemble, or the one that there is."""
    return cast("list[Decoder]", list(model.members)) if isinstance(model, Ensemble) else [model]


def take_over(source: Decoder, target: Decoder, *, said: str) -> None:
    """Copy the convolutional layers of one decoder (not an ensemble) into another, in place.

    Parameters
    ----------
    source, target
        A trained decoder, and a freshly built one.
    said
        What names the source, for the message.

    Raises
    ------
    UsageError
        One has no such layers, or they differ in number, filters or width.
    """
    ours, theirs = target.convolutions(), source.convolutions()
    if not ours or not theirs:
        whose = "the decoder to be trained" if theirs else f"--init-from {said}"
        raise UsageError(
            f"{whose} has no convolutional layers, so there is nothing to start from; use "
            "--architecture cnn and a decoder of that kind."
        )
    found, wanted = (list(map(_shape, layers)) for layers in (theirs, ours))
    if found != wanted:
        raise UsageError(
            f"--init-from {said} has layers of {_listed(found)}, the decoder to be trained "
            f"{_listed(wanted)}: give the same --filters and --pooling, or leave them out."
        )
    with torch.no_grad():
        for mine, its in zip(ours, theirs, strict=True):
            mine.load_state_dict(its.state_dict())


def _shape(layer: nn.Module) -> tuple[int, ...]:
    return tuple(cast("Tensor", layer.weight).shape)


def _listed(shapes: list[tuple[int, ...]]) -> str:
    return ", ".join(
        f"{n} filters on {channels} of width {width[0]}" for n, channels, *width in shapes
    )
