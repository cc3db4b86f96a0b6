"""The examples a decoder sees: z-scored maps on one grid, with their classes and origins."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fmridecode.core.grid import Grid
from fmridecode.core.origin import Origin
from fmridecode.core.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class MapClass:
    """One class: a task, a condition, or both.

    ``task`` and ``contrast`` are the BIDS labels that all maps of the class share, empty where
    they differ or are not known.
    """

    name: str
    task: str = ""
    contrast: str = ""


UNKNOWN = -1
"""Label of a map whose class the decoder does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Where one example comes from.

    Parameters
    ----------
    participant, session
        Labels without ``sub-`` and ``ses-``; an empty session where the data set has none.
    label
        Index of the class, or `UNKNOWN`.
    sources
        BIDS URIs or paths of the maps that were averaged.
    missing
        Share of the brain mask in which the map has no data, 0 to 1.
    transforms
        Names of what warped maps from another space; normally none.
    sd
        Standard deviation in the brain mask before the z-score, the mean over the sources; NaN
        where it is not known.
    negative
        Share of voxels below 0 before the z-score, likewise.
    own
        The class as the data set calls it, where the decoder's classes are another's.
    number
        What is decoded where it is no class, the participant's; NaN where it is not known.
    """

    participant: str
    session: str
    label: int
    sources: tuple[str, ...]
    missing: float = 0.0
    transforms: tuple[str, ...] = ()
    sd: float = float("nan")
    negative: float = float("nan")
    own: MapClass | None = None
    number: float = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class MapSet:
    """All examples of a data set on one grid.

    Parameters
    ----------
    values
        Float32 array ``(examples, *grid.shape)``, each map z-scored by itself, 0 where there is
        no data and outside the mask. May be memory-mapped and read-only, or in half precision.
    examples
        One per map, in the same order.
    classes
        What the labels stand for.
    mask
        True where the z-score covers, on the grid.
    grid
        Where the voxels lie.
    mask_source
        Says what the mask is, for the sidecars.
    origin
        What the data set says of itself, for decoders that are trained on it.
    target
        What the examples' numbers are; None where classes are decoded.
    """

    values: NDArray[np.floating]
    examples: tuple[Example, ...]
    classes: tuple[MapClass, ...]
    mask: NDArray[np.bool_]
    grid: Grid
    mask_source: str
    origin: Origin = field(default_factory=Origin)
    target: Target | None = None

    @property
    def labels(self) -> NDArray[np.int64]:
        """The class index of every example."""
        return np.array([example.label for example in self.examples], dtype=np.int64)

    @property
    def numbers(self) -> NDArray[np.float64]:
        """The number of every example's participant."""
        return np.array([example.number for example in self.examples], dtype=np.float64)

    @property
    def number_of(self) -> dict[str, float]:
        """The number of every participant."""
        return {example.participant: example.number for example in self.examples}

    @property
    def participants(self) -> tuple[str, ...]:
        """The participant of every example."""
        return tuple(example.participant for example in self.examples)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The names of the classes, in the order of the labels."""
        return tuple(each.name for each in self.classes)

    def called(self, example: Example) -> MapClass:
        """Return the class of an example as its data set calls it."""
        return example.own or self.classes[example.label]

    def on_grid(self, inside: NDArray[np.float32]) -> NDArray[np.float32]:
        """Put the voxels of the mask on the grid; 0 elsewhere."""
        values = np.zeros(self.mask.shape, dtype=inside.dtype)
        values[self.mask] = inside
        return values

    def where(self, participants: set[str]) -> NDArray[np.int64]:
        """Return the indices of the examples of these participants."""
        return np.array(
            [i for i, e in enumerate(self.examples) if e.participant in participants],
            dtype=np.int64,
        )
