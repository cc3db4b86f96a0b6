"""Measure all comparisons of the core, one after the other."""

from collections.abc import Callable

import torch

from fmridecode.core.models import Decoder
from fmridecode.errors import UsageError
from fmridecode.experiments.benchmarks.cases import Size, cases, paper_step
from fmridecode.experiments.benchmarks.comparison import Comparison, Measured, measure
from fmridecode.experiments.benchmarks.machine import machine
from fmridecode.experiments.benchmarks.references import captum_version
from fmridecode.experiments.benchmarks.table import rows

HCP_MAPS, HCP_PASSES = 5516, 3
"""Training maps of the paper, and its 12 epochs of 4 hops as passes over them."""


def run_core(
    size: Size,
    device: torch.device,
    *,
    repeats: int,
    say: Callable[[str], None],
    only: str = "",
) -> list[Measured]:
    """Run every comparison.

    Parameters
    ----------
    size
        Of the maps and of the minibatch.
    device, repeats
        Where, and how many times each program is timed.
    say
        Receives a line on the machine, and some a comparison.
    only
        Run those whose name has this in it.

    Raises
    ------
    UsageError
        A GPU is asked for that torch cannot use.
    BadDataError
        Two programs disagree.
    """
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            f"--device {device}: torch {torch.__version__} finds no GPU it can use; check the "
            "driver and the build of torch, or use --device cpu."
        )
    say(f"{machine(device)}; {captum_version()}; medians of up to {repeats} interleaved runs")
    found = []
    for each in cases(size, device):
        if only in each.name:
            found.append(run_one(each, device, repeats, say))
            if each.is_step:
                say(projected(found[-1], size))
    return found


def projected(step: Measured, size: Size) -> str:
    """Say how long the paper's training would take at the speed of one adversarial step."""
    hours = step.ours_s * HCP_MAPS / size.batch * HCP_PASSES / 3600
    return (
        f"{step.name}: {HCP_MAPS} maps of this size, 12 epochs x 4 hops, projected from this "
        f"step: {hours:.2f} h"
    )


def run_paper_step(
    size: Size,
    device: torch.device,
    *,
    repeats: int,
    say: Callable[[str], None],
    spare: Callable[[Decoder], None] = lambda _: None,
) -> list[Measured]:
    """Run a step of the paper's own network, ``cnn-stride1``; there is no reference.

    ``spare`` may let the decoder take less memory.
    """
    step = run_one(paper_step(size, device, spare), device, repeats, say)
    say(projected(step, size))
    return [step]


def run_one(
    comparison: Comparison, device: torch.device, repeats: int, say: Callable[[str], None]
) -> Measured:
    """Measure one comparison; say what its output and its floor are, and what was found."""
    measured = measure(comparison, device=device, repeats=repeats)
    if comparison.difference:
        say(
            f"{comparison.name}: same output within {comparison.tolerance:g} "
            f"({comparison.difference})"
        )
    if comparison.floor_is:
        say(f"{comparison.name}: floor: {comparison.floor_is}")
    say(f"{' | '.join(rows([measured])[0])} | medians of {measured.runs}")
    return measured
