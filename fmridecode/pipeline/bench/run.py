"""Measure what was asked for, one part after the other."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import prod
from pathlib import Path

import torch

from fmridecode.config import compose
from fmridecode.experiments.benchmarks.cases import SIZES, Size
from fmridecode.experiments.benchmarks.comparison import Comparison, Measured
from fmridecode.experiments.benchmarks.run import run_core, run_one, run_paper_step
from fmridecode.pipeline.bench.participant import measured_run, participant_run
from fmridecode.pipeline.bench.preparing import preparing
from fmridecode.pipeline.bench.profile import profile
from fmridecode.pipeline.bench.study import make_study
from fmridecode.pipeline.memory import Work, spare_memory

_PARTICIPANTS = 40
_SMALL = Size(grid=(12, 11, 10), batch=2)
PAPER = {"architecture": "cnn-stride1"}
_CPU = torch.device("cpu")


def run(
    parts: Sequence[str],
    folder: Path,
    device: torch.device,
    *,
    repeats: int,
    small: bool,
    only: str,
    samples: int,
    say: Callable[[str], None],
) -> list[Measured]:
    """Measure the parts ``core``, ``stride1``, ``participant`` and ``preparing``.

    Parameters
    ----------
    parts, repeats
        What to measure, and how often each program runs.
    folder
        Empty; receives the data sets and the results of the runs.
    device
        Of the core; files are worked on by the CPU.
    small
        Use tiny maps.
    only
        Run those comparisons of the core whose name has this in it.
    samples
        Noisy copies of SmoothGrad.
    say
        Receives lines on the machine and on what is compared.
    """
    size = replace(_SMALL if small else SIZES[device.type], samples=samples)
    found: list[Measured] = []
    if "core" in parts:
        found += run_core(size, device, repeats=repeats, say=say, only=only)
    if "stride1" in parts:
        whole = SIZES["cuda"].grid if not small else size.grid
        one = Size(grid=whole, batch=1 if device.type == "cpu" else size.batch)
        spare = partial(
            spare_memory,
            config=compose({"training": {"batch_size": one.batch}, "model": PAPER}),
            work=Work(voxels=prod(one.grid), n_maps=one.batch, n_classes=one.classes),
        )
        found += run_paper_step(one, device, repeats=repeats, say=say, spare=spare)
    resolution, participants = (8, 2) if small else (2, _PARTICIPANTS)
    runs: list[Comparison] = []
    if "participant" in parts:
        alone = make_study(folder / "one", resolution=resolution)
        runs += [participant_run(alone), measured_run(alone)]
    if "preparing" in parts:
        study = make_study(folder / "many", resolution=resolution, participants=participants)
        runs.append(preparing(study, participants=participants, nprocs=torch.get_num_threads()))
    return found + [run_one(each, _CPU, repeats, say) for each in runs]


def profiled(folder: Path, *, small: bool) -> str:
    """Return where the time of a participant run goes, as a Markdown table."""
    rows = profile(make_study(folder, resolution=8 if small else 2))
    lines = ["| step | seconds | share |", "| --- | --- | --- |"]
    lines += [f"| {step} | {seconds:.2f} | {share:.0%} |" for step, seconds, share in rows]
    return "\n".join(lines)
