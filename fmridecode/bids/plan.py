"""What will be made of the maps: classes, examples, and what is left out."""

from dataclasses import dataclass

from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.core.maps import MapClass

LeftOut = tuple[tuple[ContrastMap, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedExample:
    """One example to be made: the average of its sources.

    Parameters
    ----------
    weights
        One per source; empty when all count alike.
    """

    participant: str
    session: str
    label: int
    sources: tuple[ContrastMap, ...]
    weights: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All examples to be made.

    Parameters
    ----------
    classes
        What the labels stand for, sorted by name.
    examples
        Sorted by participant, session and label.
    stat
        The statistic of all maps; empty where the names have none.
    left_out
        Maps that are not used, with the reason.
    """

    classes: tuple[MapClass, ...]
    examples: tuple[PlannedExample, ...]
    stat: str
    left_out: LeftOut = ()
