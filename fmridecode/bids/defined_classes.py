"""Group maps into the classes of a class file."""

import logging
from collections import Counter, defaultdict
from collections.abc import Sequence

from fmridecode.bids.averaging import check_alike
from fmridecode.bids.class_file import ClassDefinition, ClassPart, read_classes
from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.labels import camel, listing, nearest, normal
from fmridecode.bids.plan import Plan, PlannedExample
from fmridecode.bids.settings import InputConfig
from fmridecode.bids.statistic import choose_level, choose_statistic
from fmridecode.core.maps import MapClass
from fmridecode.errors import NothingMatchedError, UsageError

log = logging.getLogger(__name__)

OPTION = "--classes"
_Parts = dict[int, list[ContrastMap]]


def plan_defined(maps: Sequence[ContrastMap], config: InputConfig) -> Plan:
    """Group maps by ``--classes``: weighted means over parts, and within a part over runs.

    Raises
    ------
    NothingMatchedError
        A class finds no map; the message names what is there.
    UsageError
        Two classes are of the same task and contrast, or maps differ in more than the run.
    """
    defined = sorted(read_classes(config.classes), key=lambda each: each.name)
    recipes = [_recipe(each, maps, config) for each in defined]
    used = [each for each in maps if any(p.matches(each) for r in recipes for p in r)]
    chosen, stat = choose_statistic(used, config.stat, key=_key)
    same_level = choose_level(chosen, key=_key)
    left_out = [(m, f"no class of {OPTION} {config.classes} uses it") for m in _less(maps, used)]
    left_out += [(m, f"stat is not {stat}") for m in _less(used, chosen)]
    left_out += [(m, "another level of the model is used") for m in _less(chosen, same_level)]
    examples = []
    for (who, when), theirs in sorted(_by_session(same_level).items()):
        for label, recipe in enumerate(recipes):
            parts = {i: [m for m in theirs if p.matches(m)] for i, p in enumerate(recipe)}
            missing = [str(recipe[i]) for i, found in parts.items() if not found]
            if not missing:
                examples.append(_example(who, when, label, recipe, parts))
                continue
            reason = f"the class {defined[label].name} also needs {listing(missing)}"
            left_out += [(m, reason) for found in parts.values() for m in found]
    if lacking := [d.name for i, d in enumerate(defined) if i not in {e.label for e in examples}]:
        raise NothingMatchedError(
            f"{OPTION} {config.classes}: no participant has all maps of {listing(lacking)}; "
            f"{listing((reason for _, reason in left_out), most=3)}. Take the class out."
        )
    sources = {m.uri for each in examples for m in each.sources}
    classes = [_class(d, r, same_level) for d, r in zip(defined, recipes, strict=True)]
    _check_files(classes)
    _log(classes, recipes, examples)
    return Plan(
        classes=tuple(classes),
        examples=tuple(examples),
        stat=stat,
        left_out=tuple((m, reason) for m, reason in left_out if m.uri not in sources),
    )


def _recipe(
    definition: ClassDefinition, maps: Sequence[ContrastMap], config: InputConfig
) -> tuple[ClassPart, ...]:
    """Return the parts of a class, or the maps that are their mean already."""
    if definition.ready and any(definition.ready.matches(each) for each in maps):
        return (definition.ready,)
    for part in definition.parts:
        if not any(part.matches(each) for each in maps):
            there = sorted({f"{each.task} {each.contrast}".strip() for each in maps} - {""})
            raise NothingMatchedError(
                f"{OPTION} {config.classes}: no map of {part}, which the class "
                f"{definition.name} needs; {nearest(str(part), there)} Correct the name, or take "
                "the class out."
            )
    return definition.parts


def _example(
    who: str, when: str, label: int, recipe: tuple[ClassPart, ...], parts: _Parts
) -> PlannedExample:
    total = sum(abs(part.weight) for part in recipe)
    sources: list[ContrastMap] = []
    weights: list[float] = []
    for part, found in zip(recipe, parts.values(), strict=True):
        check_alike(found, OPTION)
        sources += found
        weights += [part.weight / total / len(found)] * len(found)
    alike = len(set(weights)) == 1 and weights[0] > 0
    return PlannedExample(
        participant=who,
        session=when,
        label=label,
        sources=tuple(sources),
        weights=() if alike else tuple(weights),
    )


def _class(
    definition: ClassDefinition, recipe: tuple[ClassPart, ...], maps: Sequence[ContrastMap]
) -> MapClass:
    """Name the class as its maps do; a mean has the class's name for a contrast."""
    meant = [each for each in maps if any(part.matches(each) for part in recipe)]
    contrast = _shared([each.contrast for each in meant])
    return MapClass(
        name=definition.name,
        task=_shared([each.task for each in meant]),
        contrast=contrast if len(recipe) == 1 and contrast else camel(definition.name),
    )


def _shared(labels: Sequence[str]) -> str:
    if len({normal(label) for label in labels}) != 1:
        return ""
    return Counter(labels).most_common(1)[0][0]


def _check_files(classes: Sequence[MapClass]) -> None:
    """Make sure that no two classes would name the same saliency map."""
    seen: dict[tuple[str, str], str] = {}
    for each in classes:
        key = (normal(each.task), normal(each.contrast))
        first = seen.setdefault(key, each.name)
        if first != each.name:
            raise UsageError(
                f"{OPTION}: the classes {first} and {each.name} are both of task {each.task!r} "
                f"and contrast {each.contrast!r}; a map has one class, so change one of them."
            )


def _log(
    classes: Sequence[MapClass],
    recipes: Sequence[tuple[ClassPart, ...]],
    examples: Sequence[PlannedExample],
) -> None:
    for label, (each, recipe) in enumerate(zip(classes, recipes, strict=True)):
        spellings = sorted(
            {f"{m.task} {m.contrast}".strip() for e in examples if e.label == label
             for m in e.sources}
        )  # fmt: skip
        what = "the mean of " if len(recipe) > 1 else ""
        log.info("Class %s is %s%s", each.name, what, listing(spellings))


def _by_session(maps: Sequence[ContrastMap]) -> dict[tuple[str, str], list[ContrastMap]]:
    groups: dict[tuple[str, str], list[ContrastMap]] = defaultdict(list)
    for each in maps:
        groups[each.participant, each.session].append(each)
    return groups


def _key(each: ContrastMap) -> str:
    return f"{normal(each.task)}+{normal(each.contrast)}"


def _less(maps: Sequence[ContrastMap], without: Sequence[ContrastMap]) -> list[ContrastMap]:
    kept = {each.uri for each in without}
    return [each for each in maps if each.uri not in kept]
