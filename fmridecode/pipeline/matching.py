"""What a given decoder calls the classes of a data set."""

import logging
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from fmridecode.bids.labels import listing, nearest, normal
from fmridecode.core.maps import UNKNOWN, MapClass, MapSet
from fmridecode.errors import NoInputError, UsageError

log = logging.getLogger(__name__)

OPTION = "--model-labels"


def read_pairs(given: Sequence[str]) -> dict[str, str]:
    """Return the decoder's names by the data set's, from pairs or one TOML file of them.

    Raises
    ------
    NoInputError, UsageError
        The file cannot be read, or something is no pair.
    """
    if len(given) == 1 and "=" not in given[0]:
        return _from_toml(Path(given[0]).expanduser())
    pairs = {}
    for each in given:
        own, separator, theirs = each.partition("=")
        if not separator or not own.strip():
            raise UsageError(f"{OPTION} {each} is no pair; write OWN=MODEL, or name a TOML file.")
        pairs[own.strip()] = theirs.strip()
    return pairs


def _from_toml(path: Path) -> dict[str, str]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise UsageError(f"{OPTION} {path} is not valid TOML ({problem}); repair it.") from None
    except OSError as problem:
        raise NoInputError(
            f"{OPTION} {path} is no pair OWN=MODEL and cannot be read as a file "
            f"({problem.strerror})."
        ) from None
    for own, theirs in content.items():
        if not isinstance(theirs, str):
            raise UsageError(f'{OPTION} {path}: {own} is {theirs!r}; write {own} = "MODEL".')
    return content


def match_classes(
    own: Sequence[MapClass], known: Sequence[MapClass | None], pairs: Mapping[str, str]
) -> tuple[int, ...]:
    """Return the index of each own class among the decoder's, `UNKNOWN` where it has none.

    None stands for a class that no map can have. A pair goes before a name that is the same but
    for case and punctuation. A pair with nothing on its right leaves the class unknown.

    Raises
    ------
    UsageError
        A pair names a class that is not there, on either side.
    """
    theirs = {normal(each.name): k for k, each in enumerate(known) if each}
    names = {normal(each.name): each.name for each in own}
    stated: dict[str, int] = {}
    for left, right in pairs.items():
        if normal(left) not in names:
            raise UsageError(
                f"{OPTION} {left}={right}: the maps have no class {left}; "
                f"{nearest(left, list(names.values()))}"
            )
        if right and normal(right) not in theirs:
            raise UsageError(
                f"{OPTION} {left}={right}: the decoder has no class {right}; "
                f"{nearest(right, [each.name for each in known if each])}"
            )
        stated[normal(left)] = theirs[normal(right)] if right else UNKNOWN
    return tuple(
        stated.get(normal(each.name), theirs.get(normal(each.name), UNKNOWN)) for each in own
    )


def matched(
    maps: MapSet, known: tuple[MapClass, ...], pairs: Mapping[str, str], *, other: str = ""
) -> MapSet:
    """Return the maps with the decoder's classes; each keeps what its data set calls it.

    No map is of the decoder's class ``other``, which stands for maps of none of its classes.
    """
    named = [None if each.name == other else each for each in known]
    index = match_classes(maps.classes, named, pairs)
    for each, label in zip(maps.classes, index, strict=True):
        if label == UNKNOWN:
            log.warning(
                "Class %s is none of the decoder's (%s): its maps are decoded, but not scored. "
                "Say which it is with --model-labels %s=MODEL, if it is one.",
                each.name,
                listing((k.name for k in named if k), most=20),
                each.name,
            )
        else:
            log.info("Class %s is the decoder's %s", each.name, known[label].name)
    examples = tuple(
        replace(each, label=index[each.label], own=maps.classes[each.label])
        for each in maps.examples
    )
    return replace(maps, classes=known, examples=examples)
