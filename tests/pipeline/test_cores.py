from fmridecode.config import ExecutionConfig
from fmridecode.pipeline.cores import n_processes, n_threads


def test_threads_are_those_asked_for() -> None:
    assert n_threads(ExecutionConfig(omp_nthreads=3)) == 3
    assert n_threads(ExecutionConfig()) >= 1


def test_processes_are_those_asked_for() -> None:
    assert n_processes(ExecutionConfig(nprocs=3)) == 3
    assert n_processes(ExecutionConfig()) >= 1
