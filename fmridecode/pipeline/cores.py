"""How many threads and processes a run may use.

The cores are those of joblib, which minds the affinity that SLURM sets and the share of the CPU
that a container (``docker run --cpus``) has.
"""

import os
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from joblib import cpu_count

from fmridecode.config import ExecutionConfig

T = TypeVar("T")


def n_threads(config: ExecutionConfig) -> int:
    """Return the threads a process may use: ``--omp-nthreads``, or all cores it may run on.

    Processes that torchrun started on one machine share its cores.
    """
    started_here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return config.omp_nthreads or max(1, cpu_count() // started_here)


def n_processes(config: ExecutionConfig) -> int:
    """Return how many processes may prepare maps: ``--nprocs``, or one per core."""
    return config.nprocs or int(cpu_count())


def in_threads(work: Callable[..., T], *items: Iterable[Any]) -> list[T]:
    """Do what ``map`` does, in as many threads as torch uses.

    For work on arrays and files, which leaves Python's lock to the others.
    """
    import torch

    if torch.get_num_threads() == 1:
        return list(map(work, *items))
    # threads that turn warnings off may leave that in one another's state
    with warnings.catch_warnings(), ThreadPoolExecutor(torch.get_num_threads()) as pool:
        return list(pool.map(work, *items))
