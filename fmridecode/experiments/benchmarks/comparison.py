"""Two programs with the same output, timed in turn in one process."""

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from fmridecode.errors import BadDataError
from fmridecode.experiments.benchmarks.memory import Peak

PATIENCE = 90.0
"""Seconds after which the programs are not run once more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is to be measured.

    Parameters
    ----------
    name
        What both programs do, and on what.
    ours, reference
        The programs; no reference where there is nothing to compare with.
    error
        How far their outputs differ, to be at most ``tolerance``; called before anything is timed.
    tolerance
        The most that `error` may return.
    difference
        What `error` returns, in words.
    floor
        Seconds that the machine would need at least, measured beside them.
    floor_is
        What the floor consists of.
    tidy
        Called after each run of ours; its time does not count.
    is_step
        Whether it is a step of training, from which a whole one can be projected.
    """

    name: str
    ours: Callable[[], object]
    reference: Callable[[], object] | None = None
    error: Callable[[], float] = lambda: 0.0
    tolerance: float = 0.0
    difference: str = ""
    floor: Callable[[], float] | None = None
    floor_is: str = ""
    tidy: Callable[[], None] = lambda: None
    is_step: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Medians of a comparison, in seconds; peaks of memory beyond what was held, in MiB."""

    name: str
    runs: int
    ours_s: float
    reference_s: float | None
    ratio: float | None
    floor_s: float | None
    peak_mb: float | None
    reference_peak_mb: float | None


def measure(comparison: Comparison, *, device: torch.device, repeats: int) -> Measured:
    """Check that both programs do the same, then run them in turn and return the medians.

    Each runs once beforehand, when the peaks of memory are taken. Long ones are run less often
    than ``repeats`` times, but at least once.

    Raises
    ------
    BadDataError
        The outputs differ by more than the tolerance.
    """
    error = comparison.error()
    if not error <= comparison.tolerance:
        raise BadDataError(
            f"{comparison.name}: the outputs differ ({comparison.difference} {error:.3g}; at most "
            f"{comparison.tolerance:g} was expected), so the times mean nothing. Report this with "
            "the versions of torch and of the driver."
        )
    comparison.tidy()
    sides = [comparison.ours] + ([comparison.reference] if comparison.reference else [])
    peaks = []
    for side in sides:
        peaks.append(_peak(side, device))
        comparison.tidy()
    seconds: list[list[float]] = [[] for _ in sides]
    floors: list[float] = []
    for number in range(repeats):
        if sum(map(sum, seconds)) > PATIENCE:
            break
        for k in range(len(sides)) if number % 2 == 0 else reversed(range(len(sides))):
            seconds[k].append(elapsed(sides[k], device))
            comparison.tidy()
        if comparison.floor:
            floors.append(comparison.floor())
    medians = [statistics.median(each) for each in seconds]
    return Measured(
        name=comparison.name,
        runs=len(seconds[0]),
        ours_s=medians[0],
        reference_s=medians[1] if len(medians) > 1 else None,
        ratio=medians[1] / medians[0] if len(medians) > 1 else None,
        floor_s=statistics.median(floors) if floors else None,
        peak_mb=peaks[0],
        reference_peak_mb=peaks[1] if len(peaks) > 1 else None,
    )


def elapsed(program: Callable[[], object], device: torch.device) -> float:
    """Return the seconds that a program takes, the GPU's work included."""
    _finish(device)
    start = time.perf_counter()
    program()
    _finish(device)
    return time.perf_counter() - start


def _peak(program: Callable[[], object], device: torch.device) -> float | None:
    gc.collect()
    peak = Peak(device)
    program()
    _finish(device)
    return peak.mebibytes()


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
