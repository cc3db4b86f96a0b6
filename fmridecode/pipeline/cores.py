"""How many threads and processes a run may use."""

import os

from fmridecode.config import ExecutionConfig


def n_threads(config: ExecutionConfig) -> int:
    """Return the threads a process may use: ``--omp-nthreads``, or all cores it may run on.

    Processes that torchrun started on one machine share its cores.
    """
    started_here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return config.omp_nthreads or max(1, len(os.sched_getaffinity(0)) // started_here)


def n_processes(config: ExecutionConfig) -> int:
    """Return how many processes may prepare maps: ``--nprocs``, or one per core."""
    return config.nprocs or len(os.sched_getaffinity(0))
