"""The number that is decoded, of every participant that has one."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from fmridecode.bids.datasets import map_datasets
from fmridecode.bids.labels import listing
from fmridecode.bids.participants import has_column, read_numbers
from fmridecode.bundles.bundle import check_name
from fmridecode.config import RunConfig
from fmridecode.core.maps import MapSet
from fmridecode.core.target import Target
from fmridecode.errors import UsageError

log = logging.getLogger(__name__)

OPTION = "--target-column"


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """The numbers of a data set.

    Parameters
    ----------
    target
        What they are.
    known
        By participant.
    lacking
        Why a participant has none.
    """

    target: Target
    known: Mapping[str, float]
    lacking: Mapping[str, str]

    def given_to(self, maps: MapSet) -> MapSet:
        """Return the maps with the numbers of their participants."""
        examples = tuple(
            replace(each, number=self.known.get(each.participant, float("nan")))
            for each in maps.examples
        )
        return replace(maps, examples=examples, target=self.target)


def find_numbers(
    bids_dir: Path, config: RunConfig, participants: Collection[str], *, needed: bool = True
) -> Numbers:
    """Read the column of ``--target-column``: of the data sets with the maps, or of a raw one.

    Raises
    ------
    FmridecodeError
        See `fmridecode.bids.participants.read_numbers`.
    """
    try:
        check_name(config.input.target_column, "column")
    except ValueError as problem:
        raise UsageError(f"{OPTION}: {problem}; rename the column.") from None
    roots = _roots(bids_dir, config)
    found = read_numbers(
        roots.values(),
        config.input.target_column,
        participants=participants,
        option=OPTION,
        needed=needed,
    )
    name = next(name for name, root in roots.items() if root == found.path.parent)
    # a decoder is shared with what it says of its source, so no path of this machine
    source = f"bids:{name}:{found.path.name}" if name else f"BIDS_DIR/{found.path.name}"
    log.info(
        "%s of %d participants (%g to %g) is read from %s",
        found.name,
        len(found.numbers),
        min(found.numbers.values(), default=float("nan")),
        max(found.numbers.values(), default=float("nan")),
        found.path,
    )
    if found.lacking:
        log.warning(
            "%d participants with maps have no number in %s of %s: %s",
            len(found.lacking),
            found.name,
            found.path,
            listing(f"sub-{who}" for who in found.lacking),
        )
    return Numbers(
        target=Target(name=found.name, unit=found.unit, source=source),
        known=found.numbers,
        lacking={who: f"{why} ({OPTION})" for who, why in found.lacking.items()},
    )


def is_there(bids_dir: Path, config: RunConfig, column: str) -> bool:
    """Whether the data set has a column of participants."""
    return has_column(_roots(bids_dir, config).values(), column)


def _roots(bids_dir: Path, config: RunConfig) -> dict[str, Path]:
    """Return where to look, by the name in BIDS URIs; a raw data set has none."""
    roots = map_datasets(bids_dir, config.input)
    raw = bids_dir.resolve()
    return roots if raw in roots.values() else {**roots, "": raw}
