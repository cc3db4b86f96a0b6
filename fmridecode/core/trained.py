"""A trained decoder: a network with its classes, its grid, its temperature and its recipe."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import cast

import torch

from fmridecode.core.abstention import Abstention
from fmridecode.core.batches import Batches
from fmridecode.core.calibration import Calibration
from fmridecode.core.grid import Grid
from fmridecode.core.maps import MapClass
from fmridecode.core.models import Decoder, Ensemble, build
from fmridecode.core.origin import Origin, merged
from fmridecode.core.portions import logits_of
from fmridecode.core.settings import ModelConfig, TrainingConfig
from fmridecode.errors import BadDataError
from fmridecode.shapes import Logits, Mask, MembersLogits


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedDecoder:
    """What decoding and explaining need, and what a bundle on disk keeps.

    Parameters
    ----------
    model
        The network, in the selected epoch's weights.
    model_config, training_config
        The recipe.
    classes
        What the logits stand for.
    grid, mask_source, zscore
        Where the maps lie, what the mask is, and which voxels the z-score covers.
    calibration
        The temperature that validation maps gave.
    n_maps, n_participants
        How many maps of how many participants trained it.
    seed
        Seed of the weights, the order and the noise.
    origin
        What a stranger must know of it.
    abstention
        When it says that it does not know; None for a decoder that never does.
    """

    model: Decoder
    model_config: ModelConfig
    training_config: TrainingConfig
    classes: tuple[MapClass, ...]
    grid: Grid
    mask_source: str
    zscore: str
    calibration: Calibration
    n_maps: int
    n_participants: int
    seed: int
    origin: Origin = field(default_factory=Origin)
    abstention: Abstention | None = None

    @property
    def temperature(self) -> float:
        """The temperature that divides the logits."""
        return self.calibration.temperature


def build_whole(
    config: ModelConfig, mask: Mask, n_classes: int, *, generator: torch.Generator
) -> Decoder:
    """Build a decoder, or an ensemble of them when the config asks for several."""
    members = [build(config, mask, n_classes, generator=generator) for _ in range(config.ensemble)]
    return members[0] if config.ensemble == 1 else Ensemble(members)


def averaged(decoders: Sequence[TrainedDecoder]) -> TrainedDecoder:
    """Put decoders of the same kind together: their members' logits are averaged.

    The temperature is the harmonic mean of theirs, since the mean of z / t is the mean of z over
    that, where the logits z agree. What else was calibrated is the mean of theirs, and numbers
    of maps and participants are of the largest.

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
        if not torch.equal(other.model.mask, first.model.mask):
            differing.append("mask")
        if differing:
            raise BadDataError(
                f"Decoders that differ in {', '.join(differing)} cannot be averaged; use one."
            )
    members = [
        member
        for each in decoders
        for member in (each.model.members if isinstance(each.model, Ensemble) else [each.model])
    ]
    numbers = [asdict(each.calibration) for each in decoders]
    mean = {
        name: sum(each[name] for each in numbers) / len(numbers)
        for name in numbers[0]
        if name != "at_bound"
    }
    inverse = sum(1 / each.temperature for each in decoders) / len(decoders)
    calibration = Calibration(
        **{**mean, "temperature": 1 / inverse, "at_bound": any(n["at_bound"] for n in numbers)}
    )
    return replace(
        first,
        model=Ensemble(cast("list[Decoder]", members)),
        model_config=replace(first.model_config, ensemble=len(members)),
        calibration=calibration,
        n_maps=max(each.n_maps for each in decoders),
        n_participants=max(each.n_participants for each in decoders),
        origin=merged([each.origin for each in decoders]),
        abstention=None,  # the threshold of one is not that of the mean
    )


def members_of(decoder: TrainedDecoder) -> list[TrainedDecoder]:
    """Return the decoders that are averaged, each with the temperature of the whole."""
    if not isinstance(decoder.model, Ensemble):
        return [decoder]
    alone = replace(decoder.model_config, ensemble=1)
    return [
        replace(decoder, model=cast("Decoder", member), model_config=alone)
        for member in decoder.model.members
    ]


def predict_logits(model: Decoder, batches: Batches, *, batch_size: int = 32) -> Logits:
    """Return the logits of all examples in order, ``(examples, classes)``, on the CPU."""
    return torch.cat([logits_of(model, x).cpu() for x, _ in batches.in_order(batch_size)])


def members_logits(model: Decoder, batches: Batches) -> MembersLogits:
    """Return the logits of every member of an ensemble, ``(members, examples, classes)``.

    Their mean are the ensemble's. A decoder that is none is its only member.
    """
    members = model.members if isinstance(model, Ensemble) else [model]
    return torch.stack([predict_logits(cast("Decoder", each), batches) for each in members])
