import os

import pytest

from fmridecode.config import ExecutionConfig
from fmridecode.pipeline.cores import n_processes, n_threads


def test_threads_are_those_asked_for() -> None:
    assert n_threads(ExecutionConfig(omp_nthreads=3)) == 3
    assert n_threads(ExecutionConfig()) >= 1


def test_processes_of_torchrun_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    assert n_threads(ExecutionConfig()) == 8
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    assert n_threads(ExecutionConfig()) == 2
    assert n_threads(ExecutionConfig(omp_nthreads=5)) == 5
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "16")
    assert n_threads(ExecutionConfig()) == 1


def test_processes_are_those_asked_for() -> None:
    assert n_processes(ExecutionConfig(nprocs=3)) == 3
    assert n_processes(ExecutionConfig()) >= 1
