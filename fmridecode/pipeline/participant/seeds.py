"""Seeds of what is drawn for one map, whoever else is explained."""

import numpy as np

from fmridecode.core.maps import UNKNOWN, MapSet


def seed_of(maps: MapSet, index: int, *, seed: int) -> np.random.SeedSequence:
    """Return the seed of one example.

    So participants can be explained in any order and number.
    """
    example = maps.examples[index]
    label = len(maps.classes) if example.label == UNKNOWN else example.label
    key = [*example.participant.encode(), 0, *example.session.encode(), 0, label]
    return np.random.SeedSequence([seed, *key])
