"""From a folder of contrast maps to one map set on a template's grid."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fmridecode.bids import maps as bids_maps
from fmridecode.bids.classes import plan_examples
from fmridecode.bids.datasets import map_datasets
from fmridecode.bids.derivatives import start_dataset
from fmridecode.bids.labels import listing, normal, without_prefix
from fmridecode.bids.maps import Failure
from fmridecode.bids.participants import read_column
from fmridecode.bids.query import look_for_maps
from fmridecode.bids.several_spaces import prefer_target
from fmridecode.bids.templates import Template, target_grid
from fmridecode.config import RunConfig
from fmridecode.core.maps import MapSet
from fmridecode.errors import BadDataError, NothingMatchedError
from fmridecode.pipeline.memory import n_processes, work_on
from fmridecode.pipeline.preparing.assignments import write_assignments
from fmridecode.pipeline.preparing.plausibility import known_maps, write_plausibility
from fmridecode.pipeline.preparing.target import find_numbers
from fmridecode.pipeline.training.origin import origin_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a run works on.

    Parameters
    ----------
    maps
        All usable maps.
    families
        Family of each participant that has one.
    failures
        Participants whose maps could not be used, with the reason.
    excluded
        Participants left out on request: for ``--exclude-outliers``, or without a number in
        ``--target-column``.
    template
        The grid, the mask and where they come from.
    asked
        Participants asked for, all of them when none was named.
    stat
        The statistic of the maps; empty where their names have none.
    """

    maps: MapSet
    families: Mapping[str, str]
    failures: tuple[Failure, ...]
    excluded: tuple[Failure, ...]
    template: Template
    asked: tuple[str, ...]
    stat: str


def prepare(
    config: RunConfig,
    bids_dir: Path,
    output_dir: Path,
    *,
    only_asked: bool,
    onto: Template | None = None,
    stat: str = "",
) -> Prepared:
    """Find, group, resample, z-score and cache the maps.

    Parameters
    ----------
    config
        The run's configuration.
    bids_dir, output_dir
        Folders of the run; the cache is in ``--work-dir``, or ``OUTPUT_DIR/work``.
    only_asked
        Prepare only the participants asked for; otherwise all, as training needs them.
    onto
        The grid and mask of a decoder that is trained already; then maps of one class will do.
        None takes the template of ``--space``.
    stat
        The statistic to prefer where ``--stat`` leaves it open and there are such maps.
    """
    asked = tuple(without_prefix(each, "sub-") for each in config.input.participant_label)
    everyone = replace(config.input, participant_label=())
    found = prefer_target(look_for_maps(bids_dir, everyone), config.space)
    there = {normal(each.stat) for each in found.maps}
    if everyone.stat == "auto" and stat and normal(stat) in there:
        everyone = replace(everyone, stat=stat)
    column = config.input.target_column
    plan = plan_examples(found.maps, everyone, one_will_do=onto is not None or bool(column))
    present = {each.participant for each in plan.examples}
    _check_asked(asked, present)
    numbers = find_numbers(bids_dir, config, present, needed=onto is None) if column else None
    # a decoder that is trained already decodes them all the same
    lacking = numbers.lacking if numbers and onto is None else {}
    families: Mapping[str, str] = {}
    if config.split.group_column:
        roots = [*map_datasets(bids_dir, config.input).values(), bids_dir]
        families = read_column(roots, config.split.group_column, option="--group-column")
    start_dataset(output_dir, map_datasets(bids_dir, config.input))  # never the input itself
    write_assignments(output_dir, plan, found.left_out)
    template = onto or target_grid(config.space)
    wanted = set(asked if asked and only_asked else present) - set(lacking)
    if not wanted:
        raise BadDataError(f"None of {listing(asked)} can be used; {next(iter(lacking.values()))}")
    everyone_there = wanted | set(lacking) == present
    work = work_on(template.grid, n_maps=len(plan.examples), n_classes=max(2, len(plan.classes)))
    prepared = bids_maps.prepare(
        replace(plan, examples=tuple(e for e in plan.examples if e.participant in wanted)),
        template,
        inputs=config.input,
        space=config.space,
        work_dir=Path(config.execution.work_dir or output_dir / "work"),
        nprocs=n_processes(config, work),
        stop_on_first_crash=config.execution.stop_on_first_crash,
        known=() if everyone_there else known_maps(output_dir),
    )
    write_plausibility(output_dir, prepared.judged, everyone=everyone_there)
    maps = replace(prepared.maps, origin=origin_of(bids_dir, config, plan))
    without = tuple(Failure(participant=who, message=why) for who, why in lacking.items())
    return Prepared(
        maps=numbers.given_to(maps) if numbers else maps,
        families=families,
        failures=prepared.failures,
        excluded=(*prepared.excluded, *without),
        template=template,
        asked=asked or tuple(sorted(present)),
        stat=plan.stat,
    )


def _check_asked(asked: tuple[str, ...], present: set[str]) -> None:
    missing = [label for label in asked if label not in present]
    if missing:
        raise NothingMatchedError(
            f"No usable map of participant {', '.join(missing)}; there are {listing(present)}."
        )
