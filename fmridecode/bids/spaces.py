"""Whether maps are in the space on which they are decoded, and what brings them there."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.labels import listing, normal
from fmridecode.bids.settings import SpaceConfig
from fmridecode.bids.templateflow import TemplateFlow
from fmridecode.errors import UsageError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spaces:
    """How maps of other spaces come to the one that is asked for.

    Parameters
    ----------
    forced
        Spaces that are treated as equal (``--force-space``); normally none.
    transforms
        What warps the maps of a space; the key is the space's name as `normal` gives it.
    default
        Space of the maps whose names have none.
    """

    forced: tuple[str, ...] = ()
    transforms: Mapping[str, Path] = field(default_factory=dict)
    default: str = ""

    def transform_for(self, each: ContrastMap) -> Path | None:
        """Return what warps this map, None where nothing need."""
        return self.transforms.get(normal(each.space or self.default))


def settle_spaces(
    maps: Sequence[ContrastMap], config: SpaceConfig, *, templateflow: TemplateFlow | None = None
) -> Spaces:
    """Find out which maps are in another space, and find TemplateFlow's transform for them.

    A map's space is its ``space-`` entity, or ``--input-space`` where its name has none.

    Raises
    ------
    UsageError
        A map's space is not known, or not the one asked for and no transform is to be had.
    """
    forced, transforms = set(), dict[str, Path]()
    for each in maps:
        space = each.space or config.input_space
        if normal(space) == normal(config.space) or normal(space) in transforms:
            continue
        if config.force_space:
            forced.add(space or "unknown")
        elif not space:
            raise UsageError(
                f"{each.path} does not say its space (no space- entity); say it with "
                f"--input-space, for instance --input-space {config.space}."
            )
        else:
            flow = templateflow or TemplateFlow()
            transforms[normal(space)] = _transform(each, space, config, flow)
    if forced:
        log.warning("Maps in %s are treated as %s (--force-space)", listing(forced), config.space)
    return Spaces(forced=tuple(sorted(forced)), transforms=transforms, default=config.input_space)


def transform_between(source: str, target: str) -> Path | None:
    """Return what warps maps of one template to another, None where they are the same.

    Raises
    ------
    UsageError
        No transform is to be had.
    """
    if normal(source) == normal(target):
        return None
    flow = TemplateFlow()
    found = flow.find_transform(source, target)
    if found is None:
        path = flow.expected_transform(source, target)
        raise UsageError(
            f"Maps are decoded in {source}, and nothing brings copies of them to {target}: leave "
            f"--space out, or download {flow.url(path)} to {flow.home / path}."
        )
    return found.path


def _transform(each: ContrastMap, space: str, config: SpaceConfig, flow: TemplateFlow) -> Path:
    found = flow.find_transform(space, config.space)
    if found is None:
        path = flow.expected_transform(space, config.space)
        raise UsageError(
            f"{each.path} is in {space}, not in {config.space}; use --space {space}, or download "
            f"{flow.url(path)} to {flow.home / path}, or treat them as equal with --force-space."
        )
    how = "" if found.verified else " (its MD5 is not known to fmridecode)"
    log.info("Maps in %s are warped to %s by %s%s", space, config.space, found.path, how)
    return found.path
