"""Make the examples of a data set: every map on one grid, z-scored, cached."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fmridecode.bids.atomic import make_folder
from fmridecode.bids.cache import rule_key
from fmridecode.bids.plan import Plan
from fmridecode.bids.plausibility import Judged, Quality, find_outliers
from fmridecode.bids.settings import InputConfig, SpaceConfig
from fmridecode.bids.spaces import Spaces, settle_spaces
from fmridecode.bids.stack import Stack
from fmridecode.bids.templates import Template
from fmridecode.bids.worklist import Rule, Task, plan_tasks, stack_maps
from fmridecode.core.maps import Example, MapSet
from fmridecode.errors import BadDataError

log = logging.getLogger(__name__)

_LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A participant that cannot be used, and why, in one line."""

    participant: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedMaps:
    """The examples of a data set, and what is to be said of those that are not among them.

    Parameters
    ----------
    failures
        Participants whose maps cannot be used.
    excluded
        Participants left out on request, for ``--exclude-outliers``.
    judged
        Every source map that could be read, with its numbers.
    spaces
        How maps of other spaces were brought to the grid's.
    """

    maps: MapSet
    failures: tuple[Failure, ...]
    excluded: tuple[Failure, ...]
    judged: tuple[Judged, ...]
    spaces: Spaces


def prepare(
    plan: Plan,
    template: Template,
    *,
    inputs: InputConfig,
    space: SpaceConfig,
    work_dir: Path,
    nprocs: int = 1,
    stop_on_first_crash: bool = False,
    known: Sequence[Judged] = (),
) -> PreparedMaps:
    """Return the examples on the grid of the template, and the participants that failed.

    A bad map fails its participant, not the run. Prepared maps stay in ``work_dir/maps``, keyed
    by the size and time of change of their sources, the grid, the mask and the rule.

    Parameters
    ----------
    nprocs
        Processes that work side by side.
    stop_on_first_crash
        Raise the first failure.
    known
        What earlier runs said of other participants' maps, to hold these against.

    Raises
    ------
    UsageError
        The maps are in another space, and no transform is to be had.
    BadDataError
        No participant is left.
    CannotCreateError, ReadWriteError
        The work directory cannot be written to.
    """
    spaces = settle_spaces([s for each in plan.examples for s in each.sources], space)
    key = rule_key(grid=template.grid, brain=template.mask, zscore=space.zscore)
    rule = Rule(template=template, zscore=space.zscore, folder=work_dir.absolute() / "maps")
    make_folder(rule.folder)
    tasks, failures = plan_tasks(plan, spaces, rule=key)
    stack, bad = stack_maps(tasks, rule, nprocs=nprocs, stop=stop_on_first_crash)
    failures |= bad
    tasks = [each for each in tasks if each.planned.participant not in failures]
    stack = _refuse_nothing(stack, failures)
    judged = _judged(tasks, stack, plan, known)
    failures |= _too_little(tasks, stack.missing, most=inputs.max_missing)
    excluded = _outlying(judged, set(failures)) if inputs.exclude_outliers else {}
    if out := set(failures) | set(excluded):
        tasks = [each for each in tasks if each.planned.participant not in out]
        stack = _refuse_nothing(stack_maps(tasks, rule)[0], failures | excluded)
    examples = zip(tasks, stack.missing, stack.quality, strict=True)
    maps = MapSet(
        values=stack.values,
        examples=tuple(_example(*each) for each in examples),
        classes=plan.classes,
        mask=template.mask if space.zscore == "brain" else np.ones_like(template.mask),
        grid=template.grid,
        mask_source=_mask_source(template, space),
    )
    return PreparedMaps(
        maps=maps,
        failures=_as_failures(failures),
        excluded=_as_failures(excluded),
        judged=judged,
        spaces=spaces,
    )


def _as_failures(reasons: Mapping[str, str]) -> tuple[Failure, ...]:
    return tuple(Failure(participant=who, message=why) for who, why in reasons.items())


def _judged(
    tasks: Sequence[Task], stack: Stack, plan: Plan, known: Sequence[Judged]
) -> tuple[Judged, ...]:
    """Say of every source whether it is out of line, and log those that are."""
    here = {
        (source.uri, task.planned.label): Judged(
            participant=task.planned.participant,
            session=task.planned.session,
            label=plan.classes[task.planned.label].name,
            source=source.uri,
            quality=quality,
        )
        for task, qualities in zip(tasks, stack.quality, strict=True)
        for source, quality in zip(task.planned.sources, qualities, strict=True)
    }
    own = {each.source for each in here.values()}
    others = [each for each in known if each.source not in own]
    judged = find_outliers([*here.values(), *others])[: len(here)]
    outliers = [each for each in judged if each.reasons]
    for each in outliers[:_LISTED]:
        log.warning("%s is out of line: %s", each.source, "; ".join(each.reasons))
    return judged


def _outlying(judged: Sequence[Judged], failed: set[str]) -> dict[str, str]:
    excluded: dict[str, str] = {}
    for each in judged:
        if each.reasons and each.participant not in failed:
            why = f"{each.source} is out of line ({'; '.join(each.reasons)}; --exclude-outliers)"
            excluded.setdefault(each.participant, why)
    return excluded


def _too_little(tasks: Sequence[Task], missing: Sequence[float], *, most: float) -> dict[str, str]:
    failures: dict[str, str] = {}
    for task, share in zip(tasks, missing, strict=True):
        if share > most:
            names = ", ".join(str(each.path) for each in task.sources)
            message = (
                f"{names} has no data in {share:.0%} of the brain mask; at most {most:.0%} may be "
                "missing (--max-missing). Check its space and field of view."
            )
            log.error("sub-%s: %s", task.planned.participant, message)
            failures.setdefault(task.planned.participant, message)
    return failures


def _refuse_nothing(stack: Stack | None, failures: Mapping[str, str]) -> Stack:
    if stack is None:
        raise BadDataError(
            f"None of the {len(failures)} participants can be used; the first: "
            f"{next(iter(failures.values()), 'there is no example')}"
        )
    return stack


def _example(task: Task, missing: float, quality: Sequence[Quality]) -> Example:
    planned = task.planned
    return Example(
        participant=planned.participant,
        session=planned.session,
        label=planned.label,
        sources=tuple(each.uri for each in planned.sources),
        missing=missing,
        sd=float(np.mean([each.sd for each in quality])),
        negative=float(np.mean([each.negative for each in quality])),
        transforms=tuple(sorted({t.name for each in task.sources if (t := each.transform)})),
    )


def _mask_source(template: Template, space: SpaceConfig) -> str:
    if space.zscore == "brain":
        return template.mask_source
    return f"the whole grid (--zscore volume); share missing by {template.mask_source}"
