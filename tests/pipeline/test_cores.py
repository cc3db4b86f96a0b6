import io
import os
import warnings

import pytest
from joblib.externals.loky.backend import context

from fmridecode.config import ExecutionConfig
from fmridecode.pipeline.cores import in_threads, n_processes, n_threads

CPU_MAX = "/sys/fs/cgroup/cpu.max"


def test_threads_are_those_asked_for() -> None:
    assert n_threads(ExecutionConfig(omp_nthreads=3)) == 3
    assert n_threads(ExecutionConfig()) >= 1


@pytest.fixture
def eight(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Pretend that there are eight cores, all of them allowed, and no limit by a container."""
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    limit(monkeypatch, "max 100000")
    return monkeypatch


def limit(monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    """Pretend that the cgroup says this."""
    exists = os.path.exists
    monkeypatch.setattr(os.path, "exists", lambda path: path == CPU_MAX or exists(path))
    monkeypatch.setattr(context, "open", lambda path: io.StringIO(content), raising=False)


def test_processes_of_torchrun_share_the_cores(eight: pytest.MonkeyPatch) -> None:
    assert n_threads(ExecutionConfig()) == 8
    eight.setenv("LOCAL_WORLD_SIZE", "3")
    assert n_threads(ExecutionConfig()) == 2
    assert n_threads(ExecutionConfig(omp_nthreads=5)) == 5
    eight.setenv("LOCAL_WORLD_SIZE", "16")
    assert n_threads(ExecutionConfig()) == 1


def test_no_more_cores_are_taken_than_the_batch_system_allows(eight: pytest.MonkeyPatch) -> None:
    assert (n_threads(ExecutionConfig()), n_processes(ExecutionConfig())) == (8, 8)
    eight.setattr(os, "sched_getaffinity", lambda _: {1, 4, 6})
    assert (n_threads(ExecutionConfig()), n_processes(ExecutionConfig())) == (3, 3)


def test_no_more_cores_are_taken_than_the_container_has(eight: pytest.MonkeyPatch) -> None:
    limit(eight, "150000 100000")
    assert (n_threads(ExecutionConfig()), n_processes(ExecutionConfig())) == (2, 2)


def test_processes_are_those_asked_for() -> None:
    assert n_processes(ExecutionConfig(nprocs=3)) == 3
    assert n_processes(ExecutionConfig()) >= 1


def test_threads_keep_the_order_and_leave_no_warning_off() -> None:
    def quietly(k: int, other: int) -> int:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return k + other

    before = list(warnings.filters)
    assert in_threads(quietly, range(50), range(0, 500, 10)) == [11 * k for k in range(50)]
    assert warnings.filters == before
