"""A trained decoder: a network with its classes, its grid, its temperature and its recipe."""

from dataclasses import dataclass, field, replace
from typing import cast

import torch

from fmridecode.core.abstention import Abstention
from fmridecode.core.batches import Batches
from fmridecode.core.calibration import Calibration
from fmridecode.core.grid import Grid
from fmridecode.core.maps import MapClass
from fmridecode.core.models import Decoder, Ensemble, build
from fmridecode.core.objective import CLASSES, NUMBER
from fmridecode.core.origin import Origin
from fmridecode.core.portions import logits_of, members_logits_of
from fmridecode.core.settings import ModelConfig, TrainingConfig
from fmridecode.core.target import Number
from fmridecode.shapes import Logits, Mask, MembersLogits

AT_ONCE = 32
"""Maps read together."""


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
        What the logits stand for; of a decoder of a number, what maps it was trained on.
    grid, mask_source, zscore
        Where the maps lie, what the mask is, and which voxels the z-score covers.
    calibration
        The temperature that validation maps gave; None for a decoder of a number.
    n_maps, n_participants
        How many maps of how many participants trained it.
    seed
        Seed of the weights, the order and the noise.
    origin
        What a stranger must know of it.
    abstention
        When it says that it does not know; None for a decoder that never does.
    number
        What the outputs of a decoder of a number stand for; None for one of classes.
    """

    model: Decoder
    model_config: ModelConfig
    training_config: TrainingConfig
    classes: tuple[MapClass, ...]
    grid: Grid
    mask_source: str
    zscore: str
    calibration: Calibration | None
    n_maps: int
    n_participants: int
    seed: int
    origin: Origin = field(default_factory=Origin)
    abstention: Abstention | None = None
    number: Number | None = None

    @property
    def temperature(self) -> float:
        """The temperature that divides the logits of a decoder of classes."""
        if self.calibration is None:
            raise ValueError("a decoder of a number has no temperature")
        return self.calibration.temperature

    @property
    def n_outputs(self) -> int:
        """How many outputs the network has."""
        return (CLASSES if self.number is None else NUMBER).n_outputs(len(self.classes))


def build_whole(
    config: ModelConfig, mask: Mask, n_outputs: int, *, generator: torch.Generator
) -> Decoder:
    """Build a decoder, or an ensemble of them when the config asks for several."""
    members = [build(config, mask, n_outputs, generator=generator) for _ in range(config.ensemble)]
    return members[0] if config.ensemble == 1 else Ensemble(members)


def members_of(decoder: TrainedDecoder) -> list[TrainedDecoder]:
    """Return the decoders that are averaged, each with the temperature of the whole."""
    if not isinstance(decoder.model, Ensemble):
        return [decoder]
    alone = replace(decoder.model_config, ensemble=1)
    return [
        replace(decoder, model=cast("Decoder", member), model_config=alone)
        for member in decoder.model.members
    ]


def predict_logits(model: Decoder, batches: Batches) -> Logits:
    """Return the logits of all examples in order, ``(examples, classes)``, on the CPU."""
    return torch.cat([logits_of(model, x).cpu() for x, _ in batches.in_order(AT_ONCE)])


def members_logits(model: Decoder, batches: Batches) -> MembersLogits:
    """Return the logits of every member of an ensemble, ``(members, examples, classes)``.

    Their mean are the ensemble's. A decoder that is none is its only member.
    """
    if not isinstance(model, Ensemble):
        return predict_logits(model, batches)[None]
    parts = [members_logits_of(model, x).cpu() for x, _ in batches.in_order(AT_ONCE)]
    return torch.cat(parts, dim=1)
