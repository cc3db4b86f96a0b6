"""The work of making maps: each in its place of one stack, in several processes."""

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fmridecode.bids.cache import map_key
from fmridecode.bids.plan import Plan, PlannedExample
from fmridecode.bids.rows import Row, RowFile
from fmridecode.bids.spaces import Spaces
from fmridecode.bids.stack import Kept, Stack, Unfinished, kept_rows, load_stack
from fmridecode.bids.standardise import Source, standardise
from fmridecode.bids.templates import Template
from fmridecode.errors import BadDataError, FmridecodeError, NoInputError
from fmridecode.progress import progress

log = logging.getLogger(__name__)

_WORTH_A_PROCESS = 20
"""Maps that take as long as a process takes to start."""

_AT_ONCE = 8
"""Maps, at most, that a process is given at a time: the grid and the mask go with them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One map to be made, and what it is kept under."""

    planned: PlannedExample
    sources: tuple[Source, ...]
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How maps are made, and where they are kept."""

    template: Template
    zscore: Literal["brain", "volume"]
    folder: Path

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of a map."""
        return self.template.grid.shape


def plan_tasks(plan: Plan, spaces: Spaces, *, rule: str) -> tuple[list[Task], dict[str, str]]:
    """Name the key of every example; a participant whose files are gone has failed."""
    tasks: list[Task] = []
    failures: dict[str, str] = {}
    for planned in plan.examples:
        sources = _sources(planned, spaces)
        try:
            key = map_key(sources, rule)
        except NoInputError as error:
            failures.setdefault(planned.participant, str(error))
            continue
        tasks.append(Task(planned=planned, sources=sources, key=key))
    return _without(tasks, failures), failures


def _sources(planned: PlannedExample, spaces: Spaces) -> tuple[Source, ...]:
    weights = planned.weights or (1 / len(planned.sources),) * len(planned.sources)
    return tuple(
        Source(path=each.path, weight=weight, transform=spaces.transform_for(each))
        for each, weight in zip(planned.sources, weights, strict=True)
    )


def stack_maps(
    tasks: Sequence[Task], rule: Rule, *, nprocs: int = 1, stop: bool = False
) -> tuple[Stack | None, dict[str, str]]:
    """Return all maps in one memory-mapped array; what is damaged or missing is made.

    Parameters
    ----------
    nprocs
        Processes that work side by side; for few maps, threads.
    stop
        Raise the first failure.

    Returns
    -------
    tuple
        The maps but those of participants that failed, None where all have; and what failed, by
        participant.
    """
    keys = [each.key for each in tasks]
    if not tasks or (stack := load_stack(rule.folder, keys, rule.shape)):
        return (stack if tasks else None), {}
    kept = kept_rows(rule.folder, keys)
    log.info("%d maps to prepare, %d cached", len(tasks) - len(kept), len(kept))
    unfinished = Unfinished(rule.folder, keys, rule.shape)
    failures = _make(tasks, kept, unfinished, rule, nprocs=nprocs, stop=stop)
    if failures:
        stack, _ = stack_maps(_without(tasks, failures), rule, stop=stop)
        unfinished.discard()
        return stack, failures
    return unfinished.finish(), {}


def _make(
    tasks: Sequence[Task],
    kept: Mapping[str, Kept],
    unfinished: Unfinished,
    rule: Rule,
    *,
    nprocs: int,
    stop: bool,
) -> dict[str, str]:
    """Make the maps that are not kept, and copy the others once none has failed."""
    failures: dict[str, str] = {}
    pending = [position for position, each in enumerate(tasks) if each.key not in kept]
    with progress("Preparing maps", len(pending)) as advance:
        for made in _run(tasks, pending, unfinished.file, rule, nprocs):
            unfinished.add({k: row for k, row in made.items() if isinstance(row, Row)})
            for position, error in made.items():
                advance()
                if isinstance(error, Row):
                    continue
                if stop or not isinstance(error, BadDataError | NoInputError):
                    raise error
                participant = tasks[position].planned.participant
                log.error("sub-%s: %s", participant, error)
                failures.setdefault(participant, str(error))
    if not failures:
        unfinished.add(_copied(tasks, kept, unfinished.file, rule))
    return failures


def _run(
    tasks: Sequence[Task], pending: Sequence[int], file: RowFile, rule: Rule, nprocs: int
) -> Iterator[dict[int, Row | FmridecodeError]]:
    """Yield what became of the maps, a few at a time."""
    processes = max(1, min(nprocs, len(pending) // _WORTH_A_PROCESS))
    size = min(_AT_ONCE, -(-len(pending) // (4 * processes)) or 1)
    portions = [
        {k: tasks[k] for k in pending[first : first + size]}
        for first in range(0, len(pending), size)
    ]
    if nprocs < 2:
        yield from (_attempt(each, file, rule) for each in portions)
        return
    if processes < 2:
        yield from _in_threads(portions, file, rule, nprocs)
        return
    from joblib import Parallel, delayed

    parallel = Parallel(n_jobs=processes, return_as="generator", batch_size=1, max_nbytes=None)
    yield from parallel(delayed(_attempt)(each, file, rule) for each in portions)


def _in_threads(
    portions: Sequence[Mapping[int, Task]], file: RowFile, rule: Rule, nprocs: int
) -> list[dict[int, Row | FmridecodeError]]:
    """Make few maps: inflating and resampling leave Python's lock to the other threads."""
    # images are read with warnings off, which threads may leave in one another's state
    with warnings.catch_warnings(), ThreadPoolExecutor(nprocs) as pool:
        return list(pool.map(lambda each: _attempt(each, file, rule), portions))


def _attempt(
    tasks: Mapping[int, Task], file: RowFile, rule: Rule
) -> dict[int, Row | FmridecodeError]:
    """Make a few maps, in whatever process; errors are returned, for they cross processes."""
    made: dict[int, Row | FmridecodeError] = {}
    for position, task in tasks.items():
        try:
            made[position] = _made(position, task, file, rule)
        except FmridecodeError as error:
            made[position] = error
    return made


def _made(position: int, task: Task, file: RowFile, rule: Rule) -> Row:
    template = rule.template
    prepared = standardise(
        task.sources, grid=template.grid, brain=template.mask, zscore=rule.zscore
    )
    return file.write(position, task.key, prepared)


def _copied(
    tasks: Sequence[Task], kept: Mapping[str, Kept], file: RowFile, rule: Rule
) -> dict[int, Row]:
    """Copy what is kept in other files; what is damaged there is made."""
    rows: dict[int, Row] = {}
    for position, task in enumerate(tasks):
        if task.key in kept:
            found = kept[task.key].read(rule.shape)
            rows[position] = (
                file.write(position, task.key, found)
                if found
                else _made(position, task, file, rule)
            )
    return rows


def _without(tasks: Sequence[Task], failures: Mapping[str, str]) -> list[Task]:
    return [each for each in tasks if each.planned.participant not in failures]
