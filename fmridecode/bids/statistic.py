"""One statistic, and one level of the model, for the whole data set."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence

from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.labels import listing, normal
from fmridecode.errors import NothingMatchedError, UsageError

log = logging.getLogger(__name__)

PREFERENCE = ("z", "t", "effect")
"""What ``--stat auto`` tries, in this order."""

Key = Callable[[ContrastMap], str]


def choose_statistic(
    maps: Sequence[ContrastMap], wanted: str, *, key: Key
) -> tuple[list[ContrastMap], str]:
    """Return the maps of one statistic, and which it is.

    Parameters
    ----------
    maps
        At least one.
    wanted
        A ``stat-`` label, or ``auto``: the first of z, t and effect that every participant has
        for each of its classes. Maps without a ``stat-`` entity are taken when none has one.
    key
        Names the class of a map.

    Raises
    ------
    NothingMatchedError
        No map has the wanted statistic.
    UsageError
        No statistic is there for every participant and class.
    """
    counts = Counter(normal(each.stat) for each in maps)
    there = ", ".join(f"{stat or 'no stat entity'} ({n})" for stat, n in counts.most_common())
    if wanted != "auto":
        stat = normal(wanted)
        if stat not in counts:
            raise NothingMatchedError(f"--stat {wanted} matches no map; there are {there}.")
        return _of(maps, stat), stat
    cells = {(each.participant, each.session, key(each)) for each in maps}
    for stat in (*PREFERENCE, ""):
        chosen = _of(maps, stat)
        if {(each.participant, each.session, key(each)) for each in chosen} == cells:
            log.info("Statistic of the maps: %s (there are %s)", stat or "not named", there)
            return chosen, stat
    known = [stat for stat in PREFERENCE if counts[stat]]
    raise UsageError(
        f"No statistic (z, t, effect) is there for every participant and class: {there}. "
        f"Choose one with --stat {' or '.join(known) or next(iter(counts))}; what lacks it is "
        "left out."
    )


def _of(maps: Sequence[ContrastMap], stat: str) -> list[ContrastMap]:
    return [each for each in maps if normal(each.stat) == stat]


def choose_level(maps: Sequence[ContrastMap], *, key: Key) -> list[ContrastMap]:
    """Return the maps of one FitLins node, so that a run is not averaged with its own summary.

    Of the nodes that cover every participant and class, the one with the fewest maps is the
    highest level of the model; if each participant has one run, it is not the runs' level. Maps
    outside nodes are returned as they are.
    """
    nodes = Counter(each.node for each in maps)
    if len(nodes) < 2:
        return list(maps)
    cells = {(each.participant, key(each)) for each in maps}
    for node, _ in sorted(nodes.items(), key=lambda item: (item[1], "run" in item[0], item[0])):
        chosen = [each for each in maps if each.node == node]
        if {(each.participant, key(each)) for each in chosen} == cells:
            log.info("Level of the model: node-%s (there are %s)", node, listing(nodes))
            return chosen
    raise UsageError(
        f"The maps come from several levels of a model ({listing(nodes)}), and none of them has "
        'every participant and class; choose one with --bids-filter-file, {"node": "..."}.'
    )
