"""A trained decoder: a network with its classes, its grid, its temperature and its recipe."""

from dataclasses import dataclass

import torch

from fmridecode.core.batches import Batches
from fmridecode.core.calibration import Calibration
from fmridecode.core.grid import Grid
from fmridecode.core.maps import MapClass
from fmridecode.core.models import Decoder, Ensemble, build
from fmridecode.core.portions import logits_of
from fmridecode.core.settings import ModelConfig, TrainingConfig
from fmridecode.shapes import Logits, Mask


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


def predict_logits(model: Decoder, batches: Batches, *, batch_size: int = 32) -> Logits:
    """Return the logits of all examples in order, ``(examples, classes)``, on the CPU."""
    return torch.cat([logits_of(model, x).cpu() for x, _ in batches.in_order(batch_size)])
