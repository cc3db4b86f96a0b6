"""The activation of one map: blobs at the regions of a domain or of a laboratory's contrast."""

import numpy as np
from numpy.typing import NDArray

from fmridecode.core.grid import Grid
from fmridecode.experiments.contrasts import (
    Centre,
    Contrast,
    all_tasks,
    background,
    choose_contrast,
)
from fmridecode.experiments.fields import add_blob
from fmridecode.experiments.individuals import Individual, log_normal, stream
from fmridecode.experiments.regions import Region, all_regions
from fmridecode.experiments.variety import Expression

BALANCE = 0.8
"""Factor on the height of a contrast's regions: in domains, specific and shared ones add up."""

NETWORK_SD = 0.4
"""SD of the logarithm of the height of a whole network of a contrast."""

BACKGROUND_SHARE, BACKGROUND_HEIGHT = 0.25, 1.5
"""Probability of a background network, and its height relative to the study's `network_sd`."""


def activation(
    grid: Grid, person: Individual, task: str, expression: Expression
) -> NDArray[np.float32]:
    """Return what a task activates in a participant, without noise and before its sign."""
    target = np.zeros(grid.shape, dtype=np.float32)
    rng = stream(person.config.seed, "contrast", person.number, all_tasks().index(task))
    contrast = choose_contrast(rng, task, variety=person.config.variety)
    for index, region in enumerate(all_regions()):
        if task in region.classes and (contrast is None or region.kind == "common"):
            height = person.height(index, region, task, expression)
            _add_region(target, grid, person, index, region, height, expression.mirrored)
    if contrast is not None:
        height = person.config.amplitude * BALANCE * person.acquisition.contrast
        height *= person.gain(task)
        if contrast.reversible and rng.uniform() < 0.5:
            height = -height
        _add_contrast(target, grid, person, contrast, height, expression, rng)
    return target


def unspecific(
    grid: Grid, person: Individual, task: str, expression: Expression
) -> NDArray[np.float32]:
    """Return networks that respond to whatever a task has besides its purpose."""
    target = np.zeros(grid.shape, dtype=np.float32)
    for index, region in enumerate(all_regions()):
        if region.kind == "common":
            height = expression.unspecific * person.fluctuation(region, task)
            _add_region(target, grid, person, index, region, height, mirrored=False)
    config = person.config
    rng = stream(config.seed, "background", person.number, all_tasks().index(task))
    usual = config.amplitude * config.network_sd * BACKGROUND_HEIGHT
    for network in background():
        there, height = rng.uniform() < config.variety * BACKGROUND_SHARE, rng.standard_normal()
        if there:
            _add_contrast(target, grid, person, network, usual * height, expression, rng)
    return target


def _add_contrast(
    target: NDArray[np.float32],
    grid: Grid,
    person: Individual,
    contrast: Contrast,
    height: float,
    expression: Expression,
    rng: np.random.Generator,
) -> None:
    config = person.config
    for strength, regions in contrast.networks:
        response = height * strength * log_normal(float(rng.standard_normal()), NETWORK_SD)
        for centre, weight in regions:
            normals, odds = rng.standard_normal(5), rng.uniform(size=2)
            if odds[0] < max(config.dropout, expression.dropout):
                continue
            own = response * weight * log_normal(float(normals[3]), config.amplitude_sd)
            add_blob(
                target,
                grid,
                centre=person.acquisition.place(
                    _moved(centre, normals[:3] * config.shift, expression.mirrored)
                ),
                fwhm=person.width(float(normals[4])),
                height=-own if odds[1] < expression.deactivation else own,
            )


def _moved(centre: Centre, by: NDArray[np.float64], mirrored: bool) -> Centre:
    x, y, z = (c + d for c, d in zip(centre, by, strict=True))
    return float(-x if mirrored else x), float(y), float(z)


def _add_region(
    target: NDArray[np.float32],
    grid: Grid,
    person: Individual,
    index: int,
    region: Region,
    height: float,
    mirrored: bool,
) -> None:
    if height:
        side = region.mirrored if mirrored and region.kind != "common" else region
        add_blob(
            target,
            grid,
            centre=person.centre(index, side),
            fwhm=person.extent(index),
            height=height,
        )
