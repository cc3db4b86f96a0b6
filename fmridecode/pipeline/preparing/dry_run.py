"""``--dry-run``: what would be used, and why each other file would not."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from fmridecode.bids.classes import plan_examples
from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.labels import listing, without_prefix
from fmridecode.bids.plan import LeftOut, Plan
from fmridecode.bids.query import look_for_maps
from fmridecode.bids.several_spaces import prefer_target
from fmridecode.config import RunConfig
from fmridecode.pipeline.preparing.target import find_numbers


def dry_run(bids_dir: Path, config: RunConfig) -> str:
    """Return the table of participants and classes; no image is opened and nothing written.

    Raises
    ------
    FmridecodeError
        What would stop a run before its first map.
    """
    asked = tuple(without_prefix(each, "sub-") for each in config.input.participant_label)
    found = prefer_target(look_for_maps(bids_dir, config.input), config.space)
    one_will_do = bool(config.given.model or config.input.target_column)
    plan = plan_examples(found.maps, config.input, one_will_do=one_will_do)
    left_out = (*plan.left_out, *found.left_out)
    parts = [_summary(plan, config), _numbers(plan, bids_dir, config), _table(plan)]
    parts.append(_left_out(left_out))
    if absent := sorted(set(asked) - {each.participant for each in plan.examples}):
        parts.append(f"No map of {listing(absent)} would be used.")
    return "\n\n".join(part for part in parts if part)


def _summary(plan: Plan, config: RunConfig) -> str:
    sources = [each for example in plan.examples for each in example.sources]
    spaces = {each.space or config.space.input_space or "an unknown space" for each in sources}
    unsaid = "an unknown space" in spaces and not config.space.force_space
    asked = config.space
    grid = f"{asked.space} at {asked.resolution} mm"
    if config.given.model:
        grid = f"the grid of {config.given.model}"
    return (
        f"{len(sources)} maps would make {len(plan.examples)} examples of "
        f"{len({each.participant for each in plan.examples})} participants in "
        f"{len(plan.classes)} classes.\n"
        f"Statistic: {plan.stat or 'not named'}. Maps in {listing(spaces)}, decoded in {grid}."
        + (" Say the unknown space with --input-space." if unsaid else "")
    )


def _numbers(plan: Plan, bids_dir: Path, config: RunConfig) -> str:
    """Return who has no number in ``--target-column``; empty without it."""
    if not config.input.target_column:
        return ""
    present = {each.participant for each in plan.examples}
    numbers = find_numbers(bids_dir, config, present)
    lines = [f"{numbers.target.name} is known of {len(numbers.known)} participants."]
    lines += [f"  sub-{who} is left out: {why}." for who, why in numbers.lacking.items()]
    return "\n".join(lines)


def _table(plan: Plan) -> str:
    """Return participants by classes; a cell is the number of maps, runs and all."""
    counts: dict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for each in plan.examples:
        counts[each.participant, each.session][each.label] += len(each.sources)
    sessions = any(session for _, session in counts)
    header = ["participant", *(["session"] if sessions else []), *(c.name for c in plan.classes)]
    rows = [
        [
            f"sub-{who}",
            *([f"ses-{when}" if when else "-"] if sessions else []),
            *(str(found[label] or "-") for label in range(len(plan.classes))),
        ]
        for (who, when), found in sorted(counts.items())
    ]
    return _aligned([header, *rows])


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _left_out(left_out: LeftOut) -> str:
    if not left_out:
        return "No file is left out."
    by_reason: dict[str, list[ContrastMap]] = defaultdict(list)
    for each, reason in left_out:
        by_reason[reason].append(each)
    lines = [f"Left out: {len(left_out)} files"]
    for reason, files in sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0])):
        lines.append(f"  {reason} ({len(files)}):")
        lines += [f"    {each.uri}" for each in files]
    return "\n".join(lines)
