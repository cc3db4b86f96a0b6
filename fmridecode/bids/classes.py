"""Which maps make which class, and which maps are averaged into one example."""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from fmridecode.bids.averaging import LABEL_BY, check_alike
from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.defined_classes import plan_defined
from fmridecode.bids.labels import check_distinct, listing, normal
from fmridecode.bids.plan import Plan, PlannedExample
from fmridecode.bids.settings import InputConfig
from fmridecode.bids.statistic import choose_level, choose_statistic
from fmridecode.core.maps import MapClass
from fmridecode.errors import BadDataError, UsageError

__all__ = ["Plan", "PlannedExample", "plan_examples"]

log = logging.getLogger(__name__)


def plan_examples(
    maps: Sequence[ContrastMap], config: InputConfig, *, one_will_do: bool = False
) -> Plan:
    """Group maps into examples: runs are averaged, sessions are kept apart.

    Parameters
    ----------
    one_will_do
        Whether maps of a single class can be used, as by a decoder that is trained already.

    Raises
    ------
    NothingMatchedError
        No map has ``--stat``, or a class of ``--classes`` finds no map.
    UsageError
        ``--label-by`` does not tell the maps apart, or makes fewer than two classes, or no
        statistic is there for every participant and class.
    BadDataError
        The maps are of one class however they are labelled.
    """
    if config.classes:
        return plan_defined(maps, config)
    labelled, left_out = _labelled(maps, config.label_by)
    chosen, stat = choose_statistic(labelled, config.stat, key=lambda m: _key(m, config.label_by))
    same_level = choose_level(chosen, key=lambda m: _key(m, config.label_by))
    left_out += [(m, f"stat is not {stat}") for m in _less(labelled, chosen)]
    left_out += [(m, "another level of the model is used") for m in _less(chosen, same_level)]
    classes, index = _classes(same_level, config.label_by)
    check_distinct(each.name for each in classes)
    groups: dict[tuple[str, str, int], list[ContrastMap]] = defaultdict(list)
    for each in same_level:
        label = index[_key(each, config.label_by)]
        groups[each.participant, each.session, label].append(each)
    for group in groups.values():
        check_alike(group, config.label_by)
    if not one_will_do:
        _check_two(classes, same_level, config.label_by)
    examples = tuple(
        PlannedExample(
            participant=who, session=when, label=label, sources=tuple(groups[who, when, label])
        )
        for who, when, label in sorted(groups)
    )
    log.info(
        "%d examples of %d participants in %d classes: %s",
        len(examples),
        len({each.participant for each in examples}),
        len(classes),
        listing((each.name for each in classes), most=20),
    )
    return Plan(classes=classes, examples=examples, stat=stat, left_out=tuple(left_out))


def _key(each: ContrastMap, label_by: str) -> str:
    """Name the class of a map, regardless of case and punctuation; empty if it has no name."""
    parts = {
        "task": (each.task,),
        "contrast": (each.contrast,),
        "task+contrast": (each.task, each.contrast),
    }[label_by]
    return "+".join(normal(part) for part in parts) if all(parts) else ""


def _name(each: ContrastMap, label_by: str) -> str:
    return "+".join({"task": each.task, "contrast": each.contrast}[p] for p in label_by.split("+"))


def _less(maps: Iterable[ContrastMap], without: Sequence[ContrastMap]) -> list[ContrastMap]:
    kept = {each.uri for each in without}
    return [each for each in maps if each.uri not in kept]


def _labelled(
    maps: Sequence[ContrastMap], label_by: str
) -> tuple[list[ContrastMap], list[tuple[ContrastMap, str]]]:
    labelled = [each for each in maps if _key(each, label_by)]
    if not labelled:
        possible = [o for o in LABEL_BY if any(_key(each, o) for each in maps)]
        remedy = f"use --label-by {possible[0]}." if possible else "rename the maps."
        raise UsageError(
            f"No map says its {label_by.replace('+', ' and ')} in its name, as in "
            f"{maps[0].path.name}; {remedy}"
        )
    unlabelled = _less(maps, labelled)
    if unlabelled:
        log.info(
            "%d maps are left out, for their names do not say their %s, such as %s",
            len(unlabelled),
            label_by.replace("+", " and "),
            unlabelled[0].path,
        )
    return labelled, [(each, f"its name does not say its {label_by}") for each in unlabelled]


def _classes(
    maps: Sequence[ContrastMap], label_by: str
) -> tuple[tuple[MapClass, ...], dict[str, int]]:
    members: dict[str, list[ContrastMap]] = defaultdict(list)
    for each in maps:
        members[_key(each, label_by)].append(each)
    named = sorted(
        (_spelling(group, lambda m: _name(m, label_by)), key) for key, group in members.items()
    )
    classes = tuple(
        MapClass(
            name=name,
            task=_shared(members[key], lambda m: m.task),
            contrast=_shared(members[key], lambda m: m.contrast),
        )
        for name, key in named
    )
    return classes, {key: i for i, (_, key) in enumerate(named)}


def _spelling(group: Sequence[ContrastMap], name: Callable[[ContrastMap], str]) -> str:
    """Return the most frequent spelling, and log when there are others."""
    counts = Counter(name(each) for each in group)
    best = min(counts, key=lambda spelling: (-counts[spelling], spelling))
    if len(counts) > 1:
        log.info("The labels %s are one class, %s", listing(counts), best)
    return best


def _shared(group: Sequence[ContrastMap], label: Callable[[ContrastMap], str]) -> str:
    if len({normal(label(each)) for each in group}) > 1:
        return ""
    return Counter(label(each) for each in group).most_common(1)[0][0]


def _check_two(classes: Sequence[MapClass], maps: Sequence[ContrastMap], label_by: str) -> None:
    if len(classes) > 1:
        return
    found = f"All maps are of one class, {classes[0].name!r} (--label-by {label_by})"
    for other in LABEL_BY:
        names = {_key(each, other) for each in maps} - {""}
        if len(names) > 1:
            raise UsageError(
                f"{found}; a decoder tells at least two apart. "
                f"--label-by {other} would make {len(names)}: {listing(names)}."
            )
    raise BadDataError(
        f"{found}; a decoder tells at least two apart. Add maps of other tasks or contrasts, or "
        "loosen the filters."
    )
