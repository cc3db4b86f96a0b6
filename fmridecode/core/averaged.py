"""Decoders of the same kind put together, as those of several folds for a stranger."""

import copy
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import cast

import torch

from fmridecode.core.calibration import Calibration
from fmridecode.core.models import Decoder, Ensemble
from fmridecode.core.origin import merged
from fmridecode.core.target import Number
from fmridecode.core.trained import TrainedDecoder
from fmridecode.errors import BadDataError


def averaged(decoders: Sequence[TrainedDecoder]) -> TrainedDecoder:
    """Put decoders of the same kind together: their members' logits are averaged.

    The temperature is the harmonic mean of theirs, since the mean of z / t is the mean of z over
    that, where the logits z agree. What else was calibrated is the mean of theirs, and numbers
    of maps and participants are of the largest. Decoders of a number are first brought to one
    mean and SD.

    Parameters
    ----------
    decoders
        At least one, alike in classes, grid, mask, z-score and settings of the model.

    Raises
    ------
    BadDataError
        They are not alike.
    """
    first = decoders[0]
    if len(decoders) == 1:
        return first
    for other in decoders[1:]:
        alike = ("classes", "grid", "zscore", "model_config")
        differing = [name for name in alike if getattr(other, name) != getattr(first, name)]
        if _decodes(other) != _decodes(first):
            differing.append("what they decode")
        if not torch.equal(other.model.mask, first.model.mask):
            differing.append("mask")
        if differing:
            raise BadDataError(
                f"Decoders that differ in {', '.join(differing)} cannot be averaged; use one."
            )
    if first.number is not None:
        decoders = _on_one_scale(decoders)
    members = [
        member
        for each in decoders
        for member in (each.model.members if isinstance(each.model, Ensemble) else [each.model])
    ]
    return replace(
        first,
        model=Ensemble(cast("list[Decoder]", members)),
        model_config=replace(first.model_config, ensemble=len(members)),
        calibration=None if first.number else _mean_calibration(decoders),
        number=_mean_number(decoders) if first.number else None,
        n_maps=max(each.n_maps for each in decoders),
        n_participants=max(each.n_participants for each in decoders),
        origin=merged([each.origin for each in decoders]),
        abstention=None,  # the threshold of one is not that of the mean
    )


def _decodes(decoder: TrainedDecoder) -> str:
    return decoder.number.target.name if decoder.number else ""


def _mean_calibration(decoders: Sequence[TrainedDecoder]) -> Calibration:
    numbers = [asdict(each.calibration) for each in decoders if each.calibration is not None]
    mean = {
        name: sum(each[name] for each in numbers) / len(numbers)
        for name in numbers[0]
        if name != "at_bound"
    }
    inverse = sum(1 / each.temperature for each in decoders) / len(decoders)
    return Calibration(
        **{**mean, "temperature": 1 / inverse, "at_bound": any(n["at_bound"] for n in numbers)}
    )


def _on_one_scale(decoders: Sequence[TrainedDecoder]) -> list[TrainedDecoder]:
    """Return decoders whose outputs are in units of the same mean and SD, the means of theirs.

    The predicted means stay what they were. The variances, a few per cent apart, are taken as
    they are.
    """
    numbers = [cast("Number", each.number) for each in decoders]
    mean = sum(each.mean for each in numbers) / len(numbers)
    sd = sum(each.sd for each in numbers) / len(numbers)
    moved = []
    for decoder, own in zip(decoders, numbers, strict=True):
        model = copy.deepcopy(decoder.model)
        members = model.members if isinstance(model, Ensemble) else [model]
        for member in members:
            layers = cast("Decoder", member).logit_layers()
            with torch.no_grad():
                for layer in layers:
                    layer.weight[0] *= own.sd / sd
                    layer.bias[0] *= own.sd / sd
                layers[0].bias[0] += (own.mean - mean) / sd
        moved.append(replace(decoder, model=model, number=replace(own, mean=mean, sd=sd)))
    return moved


def _mean_number(decoders: Sequence[TrainedDecoder]) -> Number:
    """Return what the outputs of decoders on one scale stand for; SDs are scaled as on average."""
    numbers = [cast("Number", each.number) for each in decoders]
    spreads = [asdict(each.spread) for each in numbers]
    scaled = {
        name: sum(each[name] for each in spreads) / len(spreads)
        for name in ("scale", "nll_before", "nll_after")
    }
    spread = replace(
        numbers[0].spread,
        **scaled,
        at_bound=any(each.spread.at_bound for each in numbers),
        n_participants=max(each.spread.n_participants for each in numbers),
    )
    return replace(numbers[0], spread=spread)
