"""Whether a map lies where a brain lies: numbers of every map, and which are out of line."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.resampling import Presence, Volume
from fmridecode.core.grid import Grid

SIDES = ("left", "right", "posterior", "anterior", "inferior", "superior")

LEAST_COVERAGE = 0.8
MOST_CUT = 20.0
"""Millimetres of the brain that may be missing at one side, if others miss less."""
MOST_CUT_ALONE = 30.0
"""The same where too few maps say what is usual; whole studies lack 24 mm of cerebellum."""
MOST_OUTSIDE = 0.35
MOST_RATIO = 5.0
"""Between the SD of a map and the median SD of its class."""
_LEEWAY = 0.05
_FILLS_THE_GRID = 0.9
_FEWEST = 5
_TOUCHED = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """What there is to say of one source map on the grid.

    Parameters
    ----------
    coverage
        Share of the brain mask with data.
    outside
        Share of the map's data that lie outside the brain mask.
    cut
        Millimetres of brain without data at each of `SIDES`.
    sd
        Standard deviation in the brain mask, in the units of the map.
    zeros
        Share of the grid without data.
    negative
        Share of the map's voxels in the brain mask that are below 0.
    odd
        What is odd about the header.
    """

    coverage: float
    outside: float
    cut: tuple[float, ...]
    sd: float
    zeros: float
    negative: float
    odd: tuple[str, ...]

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Quality":
        """Rebuild what ``dataclasses.asdict`` and JSON made of it."""
        return cls(**{**said, "cut": tuple(said["cut"]), "odd": tuple(said["odd"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A source map with its class, its numbers, and why it is out of line, if it is."""

    participant: str
    session: str
    label: str
    source: str
    quality: Quality
    reasons: tuple[str, ...] = ()


def judge(
    values: Volume,
    present: Presence,
    *,
    brain: NDArray[np.bool_],
    grid: Grid,
    odd: tuple[str, ...],
) -> Quality:
    """Return the numbers of one map on the grid."""
    inside = present & brain
    n_present = int(np.count_nonzero(present))
    n_inside = int(np.count_nonzero(inside))
    found = values[inside]
    return Quality(
        coverage=n_inside / max(int(np.count_nonzero(brain)), 1),
        outside=1 - n_inside / max(n_present, 1),
        cut=_cut(inside, brain, grid),
        sd=float(found.std(dtype=np.float64)) if n_inside else 0.0,
        zeros=1 - n_present / present.size,
        negative=np.count_nonzero(found < 0) / max(n_inside, 1),
        odd=odd,
    )


def _cut(inside: Presence, brain: NDArray[np.bool_], grid: Grid) -> tuple[float, ...]:
    """Return how many millimetres of brain lie beyond the data, at each of `SIDES`.

    The planes of the grid are followed from each end of the brain until one has data in a tenth
    of its brain voxels.
    """
    cut = dict.fromkeys(SIDES, 0.0)
    for axis, (wanted, found) in enumerate(zip(_planes(brain), _planes(inside), strict=True)):
        touched = found[wanted > 0] >= _TOUCHED * wanted[wanted > 0]
        world = int(np.abs(grid.matrix[:3, axis]).argmax())
        size = float(np.linalg.norm(grid.matrix[:3, axis]))
        first = int(touched.argmax()) if touched.any() else touched.size
        last = int(touched[::-1].argmax()) if touched.any() else touched.size
        if grid.matrix[world, axis] < 0:
            first, last = last, first
        cut[SIDES[2 * world]], cut[SIDES[2 * world + 1]] = first * size, last * size
    return tuple(cut[side] for side in SIDES)


def _planes(mask: NDArray[np.bool_]) -> list[NDArray[np.int64]]:
    """Return how many voxels of a mask lie in each plane across each axis."""
    ones = mask.view(np.uint8)
    along = np.add.reduce(ones, axis=2, dtype=np.uint16)
    across = np.add.reduce(ones, axis=0, dtype=np.uint16)
    planes = along.sum(axis=1), along.sum(axis=0), across.sum(axis=0)
    return [each.astype(np.int64) for each in planes]


def find_outliers(maps: Sequence[Judged]) -> tuple[Judged, ...]:
    """Return the maps with the reasons why they are out of line; most have none.

    A map is held against the medians of its class, where that has five maps or more, and else
    against those of all maps, but for the SD: what all maps of a study share, such as a field of
    view, makes none of them an outlier.
    """
    classes: dict[str, list[Quality]] = defaultdict(list)
    for each in maps:
        classes[each.label].append(each.quality)
    of_all = _usual([each.quality for each in maps])
    else_usual = replace(of_all, sd=0.0) if of_all else None
    usual = {label: _usual(found) or else_usual for label, found in classes.items()}
    return tuple(
        replace(each, reasons=tuple(_reasons(each.quality, usual[each.label]))) for each in maps
    )


def _usual(found: Sequence[Quality]) -> Quality | None:
    return _median(found) if len(found) >= _FEWEST else None


def _median(found: Sequence[Quality]) -> Quality:
    def median(values: Iterable[float]) -> float:
        return float(np.median(list(values)))

    return Quality(
        coverage=median(each.coverage for each in found),
        outside=median(each.outside for each in found),
        cut=tuple(median(each.cut[i] for each in found) for i in range(len(SIDES))),
        sd=median(each.sd for each in found),
        zeros=median(each.zeros for each in found),
        negative=median(each.negative for each in found),
        odd=(),
    )


def _reasons(quality: Quality, usual: Quality | None) -> Iterable[str]:
    if quality.coverage < min(LEAST_COVERAGE, usual.coverage - _LEEWAY if usual else 1.0):
        yield f"it has data in {quality.coverage:.0%} of the brain mask"
    for i, side in enumerate(SIDES):
        most = max(MOST_CUT, usual.cut[i] + MOST_CUT / 2) if usual else MOST_CUT_ALONE
        if quality.cut[i] > most:
            yield f"the field of view is cut by {quality.cut[i]:.0f} mm, {side}"
    scattered = quality.outside > max(MOST_OUTSIDE, usual.outside + _LEEWAY if usual else 0.0)
    if scattered and quality.zeros > 1 - _FILLS_THE_GRID:
        yield f"{quality.outside:.0%} of its data lie outside the brain mask"
    yield from quality.odd
    if usual and usual.sd and not 1 / MOST_RATIO < quality.sd / usual.sd < MOST_RATIO:
        yield f"its SD is {quality.sd:.3g}, the median of its class {usual.sd:.3g}"
