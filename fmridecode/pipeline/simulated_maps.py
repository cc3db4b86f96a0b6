"""A simulated study as a map set in memory, with each participant's known activation."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.settings import SpaceConfig
from fmridecode.bids.templates import target_grid
from fmridecode.core.maps import Example, MapClass, MapSet
from fmridecode.core.truth import ClassMaps
from fmridecode.experiments.simulation import SimulatedMap, simulate
from fmridecode.experiments.study import SimulationConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownStudy:
    """Maps and what is true about them.

    Parameters
    ----------
    maps
        Runs averaged, each map z-scored over its voxels with data.
    families
        The family of every participant.
    known
        Each participant's activation without noise, inside the mask.
    """

    maps: MapSet
    families: Mapping[str, str]
    known: Mapping[str, ClassMaps]


def simulated_study(config: SimulationConfig, space: SpaceConfig) -> KnownStudy:
    """Simulate a study on the grid of a template."""
    template = target_grid(space)
    grid, mask = template.grid, template.mask
    runs: dict[tuple[str, int], list[SimulatedMap]] = defaultdict(list)
    values, examples = [], []
    families: dict[str, str] = {}
    signals: dict[str, list[NDArray[np.float32]]] = defaultdict(list)
    for each in simulate(grid, mask, config):
        key = (each.participant, config.classes.index(each.task))
        runs[key].append(each)
        families[each.participant] = each.family
        if each.run == config.runs:
            of_class = runs.pop(key)
            values.append(zscored(np.mean([one.values for one in of_class], axis=0)))
            signals[each.participant].append(each.signal[mask])
            source = f"simulated::sub-{each.participant}_task-{each.task}"
            examples.append(
                Example(participant=key[0], session="", label=key[1], sources=(source,))
            )
    everything = np.ones(len(config.classes), dtype=np.bool_)
    return KnownStudy(
        maps=MapSet(
            values=np.stack(values),
            examples=tuple(examples),
            classes=tuple(MapClass(name=task, task=task) for task in config.classes),
            mask=mask,
            grid=grid,
            mask_source=template.mask_source,
        ),
        families=families,
        known={
            who: ClassMaps(values=np.stack(maps).astype(np.float64), present=everything)
            for who, maps in signals.items()
        },
    )


def zscored(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Z-score a map over its voxels with data, those that are not 0."""
    there = values != 0
    out = np.zeros_like(values)
    out[there] = (values[there] - values[there].mean()) / values[there].std()
    return out
