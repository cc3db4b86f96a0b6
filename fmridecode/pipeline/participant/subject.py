"""A participant whose maps are explained: what every measure of the maps starts from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from fmridecode.core.maps import UNKNOWN, Example, MapSet
from fmridecode.core.settings import Reach
from fmridecode.core.trained import TrainedDecoder
from fmridecode.pipeline.participant.decode import Decoded
from fmridecode.pipeline.participant.seeds import seed_of
from fmridecode.pipeline.turns import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A participant, the decoder that explains, and its saliency.

    Parameters
    ----------
    turn
        The decoder and the settings by which it explains.
    maps
        All maps, with the decoder's classes.
    decoded
        What the decoder said of the participant's maps.
    saliency
        By method: ``(maps of known class, voxels of the mask)`` of the true class, in the order
        of `known`, each exact up to a positive factor.
    device
        Where to compute.
    """

    turn: Turn
    maps: MapSet
    decoded: Decoded
    saliency: Mapping[str, NDArray[np.float32]]
    device: torch.device

    @property
    def label(self) -> str:
        """The participant's label, without ``sub-``."""
        label: str = self.maps.examples[self.decoded.indices[0]].participant
        return label

    @property
    def decoder(self) -> TrainedDecoder:
        """The decoder that explains."""
        return self.turn.bundle.decoder

    @property
    def known(self) -> NDArray[np.int64]:
        """The participant's examples in the map set whose class the decoder knows."""
        return np.array(
            [i for i in self.decoded.indices if self.maps.examples[i].label != UNKNOWN],
            dtype=np.int64,
        )

    def examples(self, reach: Reach = "full") -> Iterator[tuple[int, Example]]:
        """Yield the position among `known`, and the example; quick: of one, drawn at random.

        One map of each of many participants says more of all than all maps of a few would.
        """
        chosen: list[int] = list(range(len(self.known)))
        if reach == "quick":
            drawn = self.seed(int(self.known[0])).generate_state(3)[-1]
            chosen = [int(drawn) % len(chosen)]
        for position in chosen:
            yield position, self.maps.examples[self.known[position]]

    def keys(self, example: Example) -> dict[str, object]:
        """Return what names one map in every table."""
        return {
            "participant_id": f"sub-{example.participant}",
            "session_id": f"ses-{example.session}" if example.session else None,
            "label": self.maps.class_names[example.label],
        }

    def seed(self, index: int) -> np.random.SeedSequence:
        """Return the seed of one example, which depends on the run's seed and the map alone."""
        return seed_of(self.maps, index, seed=self.turn.config.execution.random_seed)
