"""Simulated maps of one role in memory; those that are of no domain are of the class `OTHER`."""

from collections.abc import Callable

import numpy as np

from fmridecode.bids.templates import Template
from fmridecode.core.maps import Example, MapClass, MapSet
from fmridecode.experiments.regions import DOMAINS
from fmridecode.experiments.simulation import simulate
from fmridecode.experiments.study import SimulationConfig
from fmridecode.pipeline.shipped.recipe import CLASS_NAMES, OTHER
from fmridecode.pipeline.simulated_maps import zscored


def simulated_maps(
    template: Template,
    studies: dict[str, SimulationConfig],
    *,
    advance: Callable[[], None] = lambda: None,
) -> MapSet:
    """Simulate studies one after the other, z-score every map and hold all in half precision.

    Parameters
    ----------
    template
        Grid and mask.
    studies
        By a name that goes before the labels of its participants.
    advance
        Called after each map.
    """
    total = sum(each.participants * len(each.classes) for each in studies.values())
    values = np.empty((total, *template.grid.shape), dtype=np.float16)
    examples: list[Example] = []
    for name, study in studies.items():
        for each in simulate(template.grid, template.mask, study):
            values[len(examples)] = zscored(each.values)
            label = DOMAINS.index(each.task) if each.task in DOMAINS else len(DOMAINS)
            participant = f"{name}{each.participant}"
            inside = each.values[template.mask]
            examples.append(
                Example(
                    participant=participant,
                    session="",
                    label=label,
                    sources=(f"simulated::sub-{participant}_task-{each.task}",),
                    missing=float((inside == 0).mean()),
                    negative=float((inside[inside != 0] < 0).mean()),
                )
            )
            advance()
    return MapSet(
        values=values,
        examples=tuple(examples),
        classes=tuple(MapClass(name=name) for name in (*CLASS_NAMES.values(), OTHER)),
        mask=template.mask,
        grid=template.grid,
        mask_source=template.mask_source,
    )
