"""One map that a data set offers in several spaces."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.labels import listing, normal
from fmridecode.bids.query import Found
from fmridecode.bids.settings import SpaceConfig

log = logging.getLogger(__name__)

_OF_THE_SPACE = ("resolution", "extension")
"""What may differ between copies of one map, besides the space."""


def prefer_target(found: Found, config: SpaceConfig) -> Found:
    """Leave out maps that are also there in ``--space``, where nothing need be warped.

    A map whose copies are all in other spaces is left as it is, to be refused when examples are
    planned.
    """
    target = normal(config.space)
    copies: dict[tuple[object, ...], list[ContrastMap]] = defaultdict(list)
    for each in found.maps:
        copies[_apart_from_space(each)].append(each)
    spare = [
        each
        for group in copies.values()
        if any(_space(each, config) == target for each in group)
        for each in group
        if _space(each, config) != target
    ]
    if not spare:
        return found
    log.info(
        "%d maps in %s are left out, for the same maps are there in %s",
        len(spare),
        listing({each.space or "an unknown space" for each in spare}),
        config.space,
    )
    reason = f"the same map is there in {config.space}"
    uris = {each.uri for each in spare}
    return replace(
        found,
        maps=tuple(each for each in found.maps if each.uri not in uris),
        left_out=_sorted([*found.left_out, *((each, reason) for each in spare)]),
    )


def _space(each: ContrastMap, config: SpaceConfig) -> str:
    return normal(each.space or config.input_space)


def _apart_from_space(each: ContrastMap) -> tuple[object, ...]:
    labels = (each.session, each.run, each.task, each.contrast, each.stat, each.node)
    others = tuple((key, value) for key, value in each.others if key not in _OF_THE_SPACE)
    return (each.participant, *map(normal, labels), others)


def _sorted(left_out: Iterable[tuple[ContrastMap, str]]) -> tuple[tuple[ContrastMap, str], ...]:
    return tuple(sorted(left_out, key=lambda each: each[0].uri))
