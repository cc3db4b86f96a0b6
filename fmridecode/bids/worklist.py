"""The work of making maps: a cache file for each, in several processes, and one stack of all."""

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fmridecode.bids.cache import (
    Stack,
    load_map,
    load_stack,
    map_key,
    save_map,
    save_stack,
)
from fmridecode.bids.plan import Plan, PlannedExample
from fmridecode.bids.spaces import Spaces
from fmridecode.bids.standardise import Source, Standardised, standardise
from fmridecode.bids.templates import Template
from fmridecode.errors import BadDataError, FmridecodeError, NoInputError, ReadWriteError
from fmridecode.progress import progress

log = logging.getLogger(__name__)

_WORTH_A_PROCESS = 20
"""Maps that take as long as a process takes to start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a process needs to make one map, and where it leaves it."""

    planned: PlannedExample
    sources: tuple[Source, ...]
    template: Template
    zscore: Literal["brain", "volume"]
    path: Path

    def made(self) -> Standardised:
        """Make the map."""
        return standardise(
            self.sources, grid=self.template.grid, brain=self.template.mask, zscore=self.zscore
        )


def plan_tasks(
    plan: Plan,
    template: Template,
    spaces: Spaces,
    *,
    folder: Path,
    rule: str,
    zscore: Literal["brain", "volume"],
) -> tuple[list[Task], dict[str, str]]:
    """Name the cache file of every example; a participant whose files are gone has failed."""
    tasks: list[Task] = []
    failures: dict[str, str] = {}
    for planned in plan.examples:
        sources = _sources(planned, spaces)
        try:
            key = map_key(sources, rule)
        except NoInputError as error:
            failures.setdefault(planned.participant, str(error))
            continue
        path = folder / f"map-{key}.npz"
        tasks.append(
            Task(planned=planned, sources=sources, template=template, zscore=zscore, path=path)
        )
    return [each for each in tasks if each.planned.participant not in failures], failures


def _sources(planned: PlannedExample, spaces: Spaces) -> tuple[Source, ...]:
    weights = planned.weights or (1 / len(planned.sources),) * len(planned.sources)
    return tuple(
        Source(path=each.path, weight=weight, transform=spaces.transform_for(each))
        for each, weight in zip(planned.sources, weights, strict=True)
    )


def make_maps(tasks: Sequence[Task], *, nprocs: int, stop: bool) -> dict[str, str]:
    """Make the maps that are not cached; return what failed, by participant."""
    pending = [each for each in tasks if not each.path.exists()]
    log.info("%d maps to prepare, %d cached", len(pending), len(tasks) - len(pending))
    failures: dict[str, str] = {}
    with progress("Preparing maps", len(pending)) as advance:
        for task, error in zip(pending, _run(pending, nprocs), strict=True):
            advance()
            if error is None:
                continue
            if stop or not isinstance(error, BadDataError | NoInputError):
                raise error
            log.error("sub-%s: %s", task.planned.participant, error)
            failures.setdefault(task.planned.participant, str(error))
    return failures


def _run(pending: Sequence[Task], nprocs: int) -> Iterator[FmridecodeError | None]:
    processes = min(nprocs, len(pending) // _WORTH_A_PROCESS)
    if processes < 2:
        yield from map(_attempt, pending)
        return
    from sklearn.utils.parallel import Parallel, delayed

    parallel = Parallel(n_jobs=processes, return_as="generator")
    yield from parallel(delayed(_attempt)(each) for each in pending)


def _attempt(task: Task) -> FmridecodeError | None:
    """Make one map, in whatever process; errors are returned, for they cross processes."""
    try:
        save_map(task.path, task.made())
    except FmridecodeError as error:
        return error
    return None


def stack_path(tasks: Sequence[Task]) -> Path:
    """Name the file of all maps; it changes when any of them does."""
    digest = hashlib.sha256("".join(each.path.stem for each in tasks).encode()).hexdigest()
    return tasks[0].path.with_name(f"stack-{digest[:32]}.npy")


def stack_maps(tasks: Sequence[Task], shape: tuple[int, ...]) -> Stack:
    """Return all maps in one memory-mapped array; what is damaged or missing is made.

    Raises
    ------
    ReadWriteError
        The array cannot be read back.
    """
    path = stack_path(tasks)
    stack = load_stack(path, length=len(tasks), shape=shape)
    if stack is None:
        maps = (load_map(each.path, shape) or each.made() for each in tasks)
        save_stack(path, maps, length=len(tasks), shape=shape)
        stack = load_stack(path, length=len(tasks), shape=shape)
    if stack is None:
        raise ReadWriteError(f"{path} cannot be read back; choose another --work-dir.")
    return stack
