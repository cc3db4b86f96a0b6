"""Estimates with their confidence intervals, one a row, and the participants' own values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fmridecode.report.drawing import annotate_reference, label_inches, short
from fmridecode.report.numbers import number
from fmridecode.report.palette import ACCENT, FAINT, INK, PAPER

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

ROW_INCHES = 0.46
MOST_DOTS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One row: a name, the estimate, its interval, what chance is, and single values behind it."""

    label: str
    value: float
    low: float
    high: float
    chance: float = float("nan")
    single: tuple[float, ...] = ()


def estimates_height(rows: tuple[Estimate, ...]) -> float:
    """Return the height in inches that `paint_estimates` needs."""
    return 0.75 + ROW_INCHES * len(rows)


def estimates_width(rows: tuple[Estimate, ...]) -> float:
    """Return the width in inches that suits `paint_estimates`."""
    return 3.35 + min(label_inches(tuple(row.label for row in rows)), 1.9)


def paint_estimates(
    axes: Axes,
    rows: tuple[Estimate, ...],
    *,
    limits: tuple[float, float],
    reference: tuple[float, str] | None = None,
    axis: str = "",
) -> None:
    """Draw a row of dots, a point and an interval for each estimate, the first on top."""
    for position, row in enumerate(rows):
        _paint_single(axes, position, np.asarray(row.single, dtype=np.float64))
        if np.isfinite(row.chance):
            axes.plot(
                [row.chance] * 2, [position - 0.28, position + 0.28], color=FAINT.light,
                linewidth=1.4, solid_capstyle="butt",
            )  # fmt: skip
        if np.isfinite(row.low) and np.isfinite(row.high):
            axes.plot(
                [row.low, row.high], [position] * 2, color=ACCENT.light, linewidth=2.6,
                solid_capstyle="butt", zorder=4,
            )  # fmt: skip
        axes.plot(
            [row.value], [position], "o", color=ACCENT.light, markersize=8,
            markeredgecolor=PAPER.light, markeredgewidth=1.4, zorder=5,
        )  # fmt: skip
        axes.text(
            1.02, position, number(row.value), transform=axes.get_yaxis_transform(),
            ha="left", va="center", color=INK.light,
        )  # fmt: skip
    if reference is not None:
        annotate_reference(axes, *reference)
    axes.set_yticks(range(len(rows)), [short(row.label) for row in rows], color=INK.light)
    axes.set(xlim=limits, ylim=(len(rows) - 0.45, -0.55), xlabel=axis)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)


def _paint_single(axes: Axes, position: int, values: NDArray[np.float64]) -> None:
    """Scatter the values, or draw their quartiles where dots would only make a blot."""
    values = values[np.isfinite(values)]
    if values.size == 0:
        return
    if values.size > MOST_DOTS:
        for low, high, width in ((5, 95, 3), (25, 75, 9)):
            axes.plot(
                np.percentile(values, [low, high]), [position] * 2, color=FAINT.light,
                linewidth=width, alpha=0.35, solid_capstyle="butt",
            )  # fmt: skip
        return
    # Evenly spread by rank, so that the page is the same every time and nothing hides.
    order = np.argsort(np.argsort(values, kind="stable"), kind="stable")
    offsets = 0.3 * (((order * 0.618034) % 1.0) * 2 - 1)
    axes.plot(
        values, position + offsets, "o", color=FAINT.light, alpha=0.65, markersize=3.6,
        markeredgewidth=0,
    )  # fmt: skip


def common_limits(rows: tuple[Estimate, ...], *, include: float) -> tuple[float, float]:
    """Return limits that hold all that the rows show, and a given value."""
    values = [include]
    for row in rows:
        values += [row.value, row.low, row.high, *row.single]
    finite = [value for value in values if np.isfinite(value)]
    margin = 0.05 * (max(finite) - min(finite)) or 0.05
    return min(finite) - margin, max(finite) + margin
