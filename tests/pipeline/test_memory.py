import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import pytest
import torch

from fmridecode.bids.settings import SpaceConfig
from fmridecode.bids.templates import Template
from fmridecode.config import RunConfig, compose
from fmridecode.core import portions
from fmridecode.core.models import Decoder, build
from fmridecode.core.settings import ModelConfig
from fmridecode.core.settings.model import Architecture
from fmridecode.errors import UsageError
from fmridecode.experiments.study import SimulationConfig
from fmridecode.pipeline import memory as module
from fmridecode.pipeline import simulate
from fmridecode.pipeline.memory import (
    FEWEST,
    PORTION,
    TRACKER,
    WORKER,
    Work,
    check_memory,
    least_mb,
    memory_here,
    n_processes,
    n_weights,
    spare_memory,
    work_of,
    work_on,
)

MIB = 2**20
MAPS = Work(voxels=10**5, n_maps=1000, n_classes=7)
OFFLINE = """
import sys
from fmridecode.bids import templateflow
from fmridecode.cli.main import main
from fmridecode.errors import TryAgainError
def refuse(url):
    raise TryAgainError(f"{url} cannot be reached")
templateflow.fetch = refuse
sys.exit(main(sys.argv[1:]))
"""


def settings(**execution: int) -> RunConfig:
    return compose({"execution": {"omp_nthreads": 1, **execution}})


def test_the_memory_of_a_container_is_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(module, "_CGROUP", (str(tmp_path / "none"), str(limit)))
    limit.write_text("max\n")
    there = memory_here()
    limit.write_text(f"{MIB}\n")
    assert memory_here() == MIB < there
    assert n_processes(settings(nprocs=8), MAPS) == 1
    check_memory(settings(), MAPS)  # which promises nothing


def test_portions_are_of_the_size_that_is_reckoned_with() -> None:
    assert (PORTION, FEWEST) == (portions.CACHE, portions.FEWEST)


@pytest.mark.parametrize("architecture", get_args(Architecture))
@pytest.mark.parametrize("shape", [(7, 9, 8), (25, 29, 25)])
@pytest.mark.parametrize("filters", [(8,), (8, 16, 16, 16, 16)])
@pytest.mark.parametrize("pooling", ["average", "stride"])
def test_no_network_has_more_weights_than_are_reckoned_with(
    architecture: Architecture,
    shape: tuple[int, ...],
    filters: tuple[int, ...],
    pooling: Literal["average", "stride"],
) -> None:
    config = ModelConfig(
        architecture=architecture, filters=filters, pooling=pooling, linear_path=True
    )
    mask = torch.ones(shape, dtype=torch.bool)
    model = build(config, mask, 3, generator=torch.Generator().manual_seed(0))
    weights = sum(each.numel() for each in model.parameters())
    assert weights <= n_weights(config, Work(voxels=mask.numel(), n_classes=3)) < 3e6


def test_as_many_processes_work_as_fit() -> None:
    least = least_mb(settings(), Work())
    for n in (2, 3, 8):
        enough = least + TRACKER + n * WORKER
        assert n_processes(settings(nprocs=8, mem_mb=enough), Work()) == n
        assert n_processes(settings(nprocs=8, mem_mb=enough - 1), Work()) == n - 1
    assert n_processes(settings(nprocs=8, mem_mb=least), Work()) == 1
    assert n_processes(settings(nprocs=2, mem_mb=10**6), Work()) == 2


def test_a_limit_below_the_need_is_refused_to_the_megabyte() -> None:
    least = least_mb(settings(), MAPS)
    check_memory(settings(mem_mb=least), MAPS)
    with pytest.raises(UsageError, match=rf"--mem-mb is {least - 1}, .* needs {least} MB"):
        check_memory(settings(mem_mb=least - 1), MAPS)


def network(config: RunConfig) -> Decoder:
    mask = torch.ones(6, 6, 6, dtype=torch.bool)
    return build(config.model, mask, 3, generator=torch.Generator().manual_seed(0))


def test_features_are_made_anew_where_they_do_not_fit_and_a_run_is_refused_where_that_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = Work(voxels=91 * 109 * 91, n_maps=10, n_classes=7)
    paper = {"model": {"architecture": "cnn-stride1"}, "training": {"batch_size": 1}}

    def limited(mb: int) -> RunConfig:
        return compose(paper, {"execution": {"omp_nthreads": 1, "mem_mb": mb}})

    least = least_mb(limited(0), work)
    tight, wide = (network(limited(0)) for _ in range(2))
    spare_memory(tight, limited(least), work)
    spare_memory(wide, limited(3 * least), work)
    assert (tight.recomputes, wide.recomputes) == (True, False)
    check_memory(limited(least), work)
    with pytest.raises(UsageError, match=f"needs {least} MB"):
        check_memory(limited(least - 1), work)
    monkeypatch.setattr(module, "memory_here", lambda: least * MIB)
    spare_memory(wide, limited(0), work)  # no limit but the machine's
    assert wide.recomputes


def test_a_network_that_fits_keeps_its_features() -> None:
    model = network(settings())
    spare_memory(model, settings(mem_mb=least_mb(settings(), MAPS) + 2000), MAPS)
    assert not model.recomputes


def test_processes_of_torchrun_share_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    least = least_mb(settings(), MAPS)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    check_memory(settings(mem_mb=2 * least), MAPS)
    with pytest.raises(UsageError, match=f"needs {2 * least} MB"):
        check_memory(settings(mem_mb=2 * least - 1), MAPS)


@pytest.mark.parametrize(
    "more",
    [
        {"training": {"batch_size": 128}},
        {"training": {"batch_size": 0}},
        {"model": {"filters": (256,)}},
        {"model": {"ensemble": 20}},
        {"execution": {"omp_nthreads": 4}},
        {"evaluation": {"permutation_refits": 10}},
        {"saliency": {"methods": ("hessian",)}, "evaluation": {"atlas": "A"}},
    ],
)
def test_what_takes_more_memory_is_reckoned_with(more: dict[str, dict[str, object]]) -> None:
    usual = {"execution": {"omp_nthreads": 1}}
    assert least_mb(compose(usual, more), MAPS) > least_mb(compose(usual), MAPS)


def test_a_larger_study_on_a_finer_grid_needs_more() -> None:
    least = least_mb(settings(), MAPS)
    assert least_mb(settings(), replace(MAPS, voxels=2 * MAPS.voxels)) > least
    # maps are mapped, and read a few at a time
    assert least_mb(settings(), replace(MAPS, n_maps=2 * MAPS.n_maps)) == least
    assert least_mb(settings(), replace(MAPS, n_participants=200)) > least
    coarse, fine = (work_of(compose({"space": {"resolution": mm}})) for mm in (8, 2))
    assert coarse.voxels < fine.voxels


@pytest.mark.parametrize("level", ["train", "participant", "group"])
def test_too_little_memory_is_refused_before_anything_is_written(
    level: str,
    study: Path,
    job: Callable[..., int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
) -> None:
    out = tmp_path / "out"
    assert job(study, out, level, "--mem-mb", "300") == 64
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("fmridecode: error: --mem-mb is 300, but this run needs ")
    assert not out.exists()


def resident_mb(process: int) -> list[float]:
    """Return the resident memory of a process and of all that it started."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        children = [n for each in tasks for n in (each / "children").read_text().split()]
    except OSError:  # it has ended
        return []
    own = pages * os.sysconf("SC_PAGE_SIZE") / MIB
    return [own, *(size for child in children for size in resident_mb(int(child)))]


@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_all_processes_of_a_run_stay_below_the_limit_together(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulate, "target_grid", lambda _: template)
    classes = ("emotion", "language", "motor", "wm")
    study = SimulationConfig(participants=15, classes=classes, seed=1)
    bids = simulate.write_simulation(tmp_path / "bids", study, SpaceConfig(resolution=8))
    options = "--resolution 8 --architecture linear --epochs 2 --ensemble 1 --folds 3"
    options += (
        " --baseline off --saliency gradient --faithfulness off --sanity off --reliability off"
    )
    options += " --robustness off --omp-nthreads 1 --nprocs 3 --participant-label 001 002 003"
    work = work_on(template.grid, n_maps=60, n_classes=4)
    limit = least_mb(settings(), work) + TRACKER + 2 * (WORKER + 10)
    line = [str(bids), str(tmp_path / "out"), "participant", *options.split()]
    peak, most, log = 0.0, 0, tmp_path / "log"
    with (
        log.open("w") as stream,
        subprocess.Popen(
            [sys.executable, "-c", OFFLINE, *line, "--mem-mb", str(limit)],
            env={
                **os.environ,
                "TEMPLATEFLOW_HOME": str(tmp_path / "home"),
                "OMP_NUM_THREADS": "1",
            },
            stderr=stream,
        ) as run,
    ):
        while run.poll() is None:
            sizes = resident_mb(run.pid)
            peak, most = max(peak, sum(sizes)), max(most, len([s for s in sizes if s > 100]))
            time.sleep(0.02)
    assert run.returncode == 0, log.read_text()
    assert most == 3  # the first process and two workers: a third does not fit
    assert 500 < peak < limit, f"{peak:.0f} of {limit} MB"
