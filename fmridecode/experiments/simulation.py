"""Contrast maps of participants whose true activations are known.

A map is the participant's own activation of its class plus noise. The activation is a sum of
Gaussian blobs at the class's regions, moved, widened and scaled for each participant. The
noise has a part that all maps of the participant share, a part that the runs of one task
share, and a part of its own; its spectrum is that of real maps, a mixture of a narrow and a
broad Gaussian kernel. Common networks also fluctuate from task to task, which says nothing
about the class and counts as noise.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fmridecode.core.grid import Grid
from fmridecode.errors import UsageError
from fmridecode.experiments.activations import activation, unspecific
from fmridecode.experiments.contrasts import all_tasks
from fmridecode.experiments.fields import add_blob, smooth
from fmridecode.experiments.individuals import Individual, individuals
from fmridecode.experiments.measurement import distorted, field_of_view
from fmridecode.experiments.regions import all_regions
from fmridecode.experiments.study import SimulationConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedMap:
    """One map, and what is true about it.

    Parameters
    ----------
    participant, session, family
        Labels without ``sub-`` and ``ses-``; the session is empty.
    task
        The class, a valid BIDS label.
    run
        Counted from 1.
    values
        Float32, on the grid; 0 outside the mask and outside the field of view.
    signal
        The participant's own activation within ``values``, without any noise.
    """

    participant: str
    session: str
    family: str
    task: str
    run: int
    values: NDArray[np.float32]
    signal: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassTruth:
    """The activation of a class in the population, before participants vary.

    Parameters
    ----------
    task
        The class.
    values
        All its regions; 0 where there is none.
    specific
        Only those that no other class has.
    """

    task: str
    values: NDArray[np.float32]
    specific: NDArray[np.float32]


def simulate(
    grid: Grid, mask: NDArray[np.bool_], config: SimulationConfig
) -> Iterator[SimulatedMap]:
    """Simulate a study, participant by participant, task by task, run by run.

    Parameters
    ----------
    grid
        Three-dimensional, in MNI space.
    mask
        True in the brain, on the grid.
    config
        The study.

    Returns
    -------
    Iterator[SimulatedMap]
        Made one at a time. A participant's maps depend on the seed, the grid and the
        participant, not on the number of participants, classes or runs.

    Raises
    ------
    UsageError
        The mask is empty or lies on another grid.
    """
    _check_mask(grid, mask)
    return (each for person in individuals(config) for each in _maps_of(person, grid, mask))


def _maps_of(person: Individual, grid: Grid, mask: NDArray[np.bool_]) -> Iterator[SimulatedMap]:
    config, kernels = person.config, (2, *grid.shape)
    seen = field_of_view(grid, mask, person)
    stable = config.noise_participant * person.normal("noise", kernels)
    for task in config.classes:
        key = all_tasks().index(task)
        expression = person.expression(task)
        signal = expression.sign * activation(grid, person, task, expression)
        nuisance = expression.sign * unspecific(grid, person, task, expression)
        nuisance += np.float32(person.baseline(task))
        lasting = stable + config.noise_task * person.normal("noise", kernels, key)
        for run in range(1, config.runs + 1):
            own = config.noise_map * person.own_normal("noise", kernels, key, run)
            noise = distorted(_spectrum(lasting + own, grid, person), grid, person, (key, run))
            noise += nuisance
            yield SimulatedMap(
                participant=person.label,
                session="",
                family=person.family_label,
                task=task,
                run=run,
                values=np.where(seen, signal + noise, np.float32(0)),
                signal=np.where(seen, signal, np.float32(0)),
            )


def truth(grid: Grid, mask: NDArray[np.bool_], config: SimulationConfig) -> tuple[ClassTruth, ...]:
    """Return the population's activation of every class, in the order of ``config.classes``.

    Parameters and errors as in `simulate`.
    """
    _check_mask(grid, mask)
    found = []
    for task in config.classes:
        values, specific = (np.zeros(grid.shape, dtype=np.float32) for _ in range(2))
        for region in all_regions():
            if task not in region.classes:
                continue
            height = config.amplitude * config.balance(region.kind) * region.weight
            for target in (values, specific) if region.kind == "specific" else (values,):
                add_blob(target, grid, centre=region.centre, fwhm=config.extent, height=height)
        values[~mask] = specific[~mask] = 0
        found.append(ClassTruth(task=task, values=values, specific=specific))
    return tuple(found)


def _check_mask(grid: Grid, mask: NDArray[np.bool_]) -> None:
    if len(grid.shape) != 3:
        raise UsageError(f"The grid has shape {grid.shape}; brains have three dimensions.")
    if mask.shape != grid.shape or not mask.any():
        raise UsageError(
            f"The mask has shape {mask.shape} and {int(mask.sum())} voxels; expected shape "
            f"{grid.shape} and at least one voxel."
        )


def _spectrum(white: NDArray[np.float32], grid: Grid, person: Individual) -> NDArray[np.float32]:
    config, acquisition = person.config, person.acquisition
    broad = float(np.clip(config.broad_share + acquisition.broad_share, 0, 1))
    narrow = smooth(white[0], grid, fwhm=config.fwhm * acquisition.smoothness)
    wide = smooth(white[1], grid, fwhm=config.broad_fwhm * acquisition.smoothness)
    return np.float32(np.sqrt(1 - broad)) * narrow + np.float32(np.sqrt(broad)) * wide
