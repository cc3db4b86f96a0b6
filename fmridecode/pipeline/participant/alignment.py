"""How the saliency of a participant's maps agrees with activation, own or known."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch

from fmridecode.config import RunConfig
from fmridecode.core.criteria import Alignment, score
from fmridecode.core.maps import MapSet
from fmridecode.core.trained import TrainedDecoder
from fmridecode.core.truth import ClassMaps, class_maps
from fmridecode.pipeline.participant.explain import BATCH, saliency_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Aligned:
    """One correlation of one example.

    Parameters
    ----------
    index
        The example in the map set.
    reference
        Which activation it was compared with.
    alignment
        The correlation.
    """

    index: int
    reference: str
    alignment: Alignment


def own_activation(maps: MapSet, participant: str) -> ClassMaps:
    """Return the mean maps of each class of a participant, inside the mask."""
    indices = maps.where({participant})
    values = np.asarray(maps.values[indices])[:, maps.mask]
    return class_maps(values, maps.labels[indices], len(maps.classes))


def align(
    decoder: TrainedDecoder,
    maps: MapSet,
    participant: str,
    method: str,
    references: Mapping[str, ClassMaps],
    config: RunConfig,
    *,
    device: torch.device,
) -> Iterator[Aligned]:
    """Yield CIA and CAD of all maps of a participant against every reference."""
    indices = maps.where({participant})
    for start in range(0, len(indices), BATCH):
        few = indices[start : start + BATCH]
        saliency = saliency_of(decoder, maps, few, method, config, device).inside.cpu().numpy()
        for one, index in zip(saliency, few, strict=True):
            for name, activation in references.items():
                for found in score(one, maps.examples[index].label, activation):
                    yield Aligned(index=int(index), reference=name, alignment=found)
