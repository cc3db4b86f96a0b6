"""How many threads and processes a run may use.

The cores are those of joblib, which minds the affinity that SLURM sets and the share of the CPU
that a container (``docker run --cpus``) has.
"""

import os

from joblib import cpu_count

from fmridecode.config import ExecutionConfig


def n_threads(config: ExecutionConfig) -> int:
    """Return the threads a process may use: ``--omp-nthreads``, or all cores it may run on.

    Processes that torchrun started on one machine share its cores.
    """
    started_here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return config.omp_nthreads or max(1, cpu_count() // started_here)


def n_processes(config: ExecutionConfig) -> int:
    """Return how many processes may prepare maps: ``--nprocs``, or one per core."""
    return config.nprocs or int(cpu_count())
