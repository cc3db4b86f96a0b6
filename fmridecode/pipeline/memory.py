"""How much memory a run needs, and how many processes fit into what it may use (``--mem-mb``).

Counted is what all processes of a run hold resident together, the libraries that they share once
for each, as batch systems count it. Not counted are the GPU's memory and its driver's, and the
prepared maps, which are read through a memory map: they are file cache, and the kernel takes it
back when it is short. The sizes here are peaks of whole runs on simulated maps of 8, 4 and 2 mm
on a CPU, rounded up.
"""

from __future__ import annotations

import logging
import math
import os
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from fmridecode.config import RunConfig
from fmridecode.core.grid import Grid
from fmridecode.core.maps import MapSet
from fmridecode.core.settings import HESSIAN, ModelConfig
from fmridecode.errors import UsageError
from fmridecode.pipeline import cores

if TYPE_CHECKING:  # importing torch would take pages that need none two seconds
    from fmridecode.core.models import Decoder

log = logging.getLogger(__name__)

_CGROUP = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_MIB = 2**20
_FLOAT = 4

BASE = 600
"""MB of the first process: Python, the libraries and what they load to train and to draw."""

WORKER = 550
"""MB of a further process that prepares maps, the sources up to 1 mm fine, and draws pages."""

TRACKER = 60
"""MB of the two processes that joblib starts besides its workers."""

THREAD = 20
"""MB of buffers that each thread of torch keeps."""

PORTION = 2**25
"""Bytes of the largest feature map of a portion: `fmridecode.core.portions.CACHE`."""

FEWEST = 2
"""Maps of the smallest portion: `fmridecode.core.portions.FEWEST`."""

_FEATURE_MAPS = 8
"""Arrays of the size of a portion's feature maps, forward and backward; of the largest alone
where the features of one layer at a time are made anew."""

_CURVATURE_MAPS = 14
"""The same, backward twice."""

_BEARABLE = 16
"""Voxels, at least, of the coarsest grid that a network makes; real ones go below it."""

_VOXEL = 400
"""Bytes a voxel of the grid takes while maps are prepared, explained and drawn."""

_BATCH = 8
"""Arrays of the size of a minibatch: the maps, their noise and its gradient, and copies."""

_WEIGHTS = 8
"""Arrays of the size of the weights: Adam's, the gradient, the best and the checkpoint's."""

_GROUP = 12
"""Float32 arrays of the size of all participants' maps in a permutation test."""

_BRAIN = 193 * 229 * 193
"""Voxels of 1 mm in a template's box, the largest of the usual adult ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What decides how much memory a level needs, as far as it is known.

    Parameters
    ----------
    voxels
        Of the grid.
    n_maps, n_classes
        Of a data set that trains a decoder.
    n_participants
        Of a group map.
    """

    voxels: int = 0
    n_maps: int = 0
    n_classes: int = 2
    n_participants: int = 0


def work_on(grid: Grid, *, n_maps: int = 0, n_classes: int = 2) -> Work:
    """Return the work on a grid; without ``n_maps``, of a decoder that is trained already."""
    return Work(voxels=math.prod(grid.shape), n_maps=n_maps, n_classes=n_classes)


def work_of_maps(maps: MapSet) -> Work:
    """Return the work of a training on these maps."""
    from fmridecode.core.objective import objective_of

    n_outputs = objective_of(maps).n_outputs(len(maps.classes))
    return work_on(maps.grid, n_maps=len(maps.examples), n_classes=n_outputs)


def work_of(config: RunConfig) -> Work:
    """Return what the settings alone say, before a file is opened."""
    size = config.space.resolution
    return Work(voxels=_BRAIN // size**3 if size else 0)  # without: the grid is a decoder's


def least_mb(config: RunConfig, work: Work) -> int:
    """Return the MB that a run in one process needs, features made anew if that takes less."""
    return min(_mb(config, work, anew=False), _mb(config, work, anew=True))


def _keeps_features(config: RunConfig, work: Work) -> bool:
    """Whether there is memory to keep all features for the backward pass, which is faster."""
    return _mb(config, work, anew=False) <= allowed_mb(config)


def spare_memory(model: Decoder, config: RunConfig, work: Work) -> None:
    """Let a decoder make features anew where they do not fit; on a GPU that shows by itself."""
    if model.mask.device.type == "cpu" and not _keeps_features(config, work) and model.recompute():
        log.info(
            "Features of the network are made anew in backward passes, for they do not fit into "
            "%d MB; that takes up to a third more time.",
            allowed_mb(config),
        )


def _mb(config: RunConfig, work: Work, *, anew: bool) -> int:
    grid = _FLOAT * work.voxels
    batch = min(config.training.batch_size or work.n_maps, work.n_maps)
    weights = n_weights(config.model, work)
    features = _features(config.model, work.voxels, anew=anew)
    if HESSIAN in config.saliency.methods:  # whose graph keeps them all
        kept = _features(config.model, work.voxels, anew=False)
        features = max(features, kept * _CURVATURE_MAPS // _FEATURE_MAPS)
    taken = (
        _VOXEL * work.voxels
        + features
        + _BATCH * batch * grid
        + (_WEIGHTS + config.model.ensemble) * _FLOAT * weights
        + _GROUP * work.n_participants * grid
        + (_refit_bytes(config, work) if config.evaluation.permutation_refits else 0)
    )
    return BASE + THREAD * cores.n_threads(config.execution) + -(-taken // _MIB)


def n_weights(model: ModelConfig, work: Work) -> int:
    """Return at least as many weights as a network of these settings has."""
    numbers = work.voxels * work.n_classes  # of a linear decoder, path or baseline
    if model.architecture == "dense":
        numbers += (work.voxels + work.n_classes) * model.hidden
    if filters := _filters(model):
        halved = work.voxels >> 3 * _halvings(model, work.voxels)
        numbers += filters[-1] * halved * work.n_classes
        numbers += sum(before * after for before, after in pairwise((1, *filters))) * 4**3
    return numbers + 4 * (model.hidden + work.n_classes + 2 * sum(filters))  # biases and gains


def _filters(model: ModelConfig) -> tuple[int, ...]:
    return model.filters if model.architecture in ("cln", "cnn", "cnn-stride1") else ()


def _halvings(model: ModelConfig, voxels: int) -> int:
    """Return how often the layers halve the grid, at the least; see `bearable_halvings`."""
    wanted = 0 if model.architecture == "cnn-stride1" else min(model.halvings, len(model.filters))
    bearable = 0
    while bearable < wanted and voxels >> 3 * (bearable + 1) >= _BEARABLE:
        bearable += 1
    return bearable


def _features(model: ModelConfig, voxels: int, *, anew: bool) -> int:
    """Return the bytes of a portion's features and their gradients, kept or made anew."""
    filters, halvings = _filters(model), _halvings(model, voxels)
    sizes = [_FLOAT * n * (voxels >> 3 * min(k, halvings)) for k, n in enumerate(filters)]
    if not voxels or not sizes:
        return _FEATURE_MAPS * PORTION
    largest = max(sizes)
    portion = max(PORTION / largest, 1 if anew else FEWEST)
    of_a_map = sum(sizes) + _FEATURE_MAPS * largest if anew else _FEATURE_MAPS * sum(sizes)
    return int(portion * of_a_map)


def _refit_bytes(config: RunConfig, work: Work) -> int:
    """Return what one process takes that refits: all maps, and those of a fold."""
    return 2 * _FLOAT * work.n_maps * work.voxels


def allowed_mb(config: RunConfig) -> int:
    """Return the MB that this process and its workers may use: ``--mem-mb``, or all there is.

    Processes that torchrun started on one machine share it.
    """
    return (config.execution.mem_mb or memory_here() // _MIB) // _sharing()


def _sharing() -> int:
    """Return how many processes torchrun started on this machine; 1 without it."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def n_processes(config: RunConfig, work: Work) -> int:
    """Return how many processes may work side by side: ``--nprocs``, or fewer where memory ends.

    The first process only waits for them, and they stay while it goes on.
    """
    own = _mb(config, work, anew=not _keeps_features(config, work))
    room = allowed_mb(config) - own - TRACKER
    each = WORKER + _VOXEL * work.voxels // _MIB
    if config.evaluation.permutation_refits:
        each += (BASE - WORKER) + _refit_bytes(config, work) // _MIB
    return max(1, min(cores.n_processes(config.execution), room // each))


def check_memory(config: RunConfig, work: Work) -> None:
    """Make sure that a run can keep to ``--mem-mb``; without it nothing is promised.

    Raises
    ------
    UsageError
        Not even one process can.
    """
    least = least_mb(config, work) * _sharing()
    if 0 < config.execution.mem_mb < least:
        raise UsageError(
            f"--mem-mb is {config.execution.mem_mb}, but this run needs {least} MB: give "
            "more, or make it less with a coarser --resolution, a smaller --batch-size or fewer "
            "--omp-nthreads."
        )


def memory_here() -> int:
    """Return the bytes of memory of this machine, or of this container if it has a limit."""
    there = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in _CGROUP:
        try:
            return min(there, int(Path(path).read_text(encoding="ascii")))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return there
