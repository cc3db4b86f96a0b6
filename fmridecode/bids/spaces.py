"""Whether the maps are in the space on which they are to be decoded."""

import logging
from collections.abc import Sequence

from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.labels import listing, normal
from fmridecode.bids.settings import SpaceConfig
from fmridecode.errors import UsageError

log = logging.getLogger(__name__)


def check_spaces(maps: Sequence[ContrastMap], config: SpaceConfig) -> tuple[str, ...]:
    """Return the other spaces that ``--force-space`` lets pass; normally none.

    A map's space is its ``space-`` entity, or ``--input-space`` where its name has none.

    Raises
    ------
    UsageError
        A map's space is not known or not the one asked for.
    """
    forced = set()
    for each in maps:
        space = each.space or config.input_space
        if not space and not config.force_space:
            raise UsageError(
                f"{each.path} does not say its space (no space- entity); say it with "
                f"--input-space, for instance --input-space {config.space}."
            )
        if normal(space) != normal(config.space):
            if not config.force_space:
                raise UsageError(
                    f"{each.path} is in {space}, not in {config.space}; use --space {space}, "
                    "maps in the other space, or --force-space to treat them as equal."
                )
            forced.add(space or "unknown")
    if forced:
        log.warning("Maps in %s are treated as %s (--force-space)", listing(forced), config.space)
    return tuple(sorted(forced))
