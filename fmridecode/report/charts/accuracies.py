"""How the participants' accuracies are distributed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import MaxNLocator

from fmridecode.report.drawing import annotate_reference
from fmridecode.report.numbers import whole
from fmridecode.report.palette import ACCENT, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

MOST_VALUES = 12


def paint_accuracies(axes: Axes, accuracies: NDArray[np.float64], chance: float) -> None:
    """Draw how many participants were decoded with which accuracy."""
    positions, counts, width = accuracy_bins(accuracies)
    axes.bar(positions, counts, width=0.82 * width, color=ACCENT.light)
    for x, n in zip(positions, counts, strict=True):
        if n:
            axes.text(x, n, f"{whole(n)}\n", ha="center", va="center", color=SOFT.light,
                      fontsize=8.5, linespacing=1.8, zorder=4)  # fmt: skip
    if np.isfinite(chance):
        annotate_reference(axes, chance, "chance")
    axes.set(
        xlim=(-0.09, 1.09),
        ylim=(0, 1.12 * max(counts, default=1)),
        xlabel="accuracy of a participant",
        ylabel="participants",
    )
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.spines["left"].set_visible(False)
    axes.grid(axis="y")


def accuracy_bins(accuracies: NDArray[np.float64]) -> tuple[list[float], list[int], float]:
    """Return positions, counts and width of bars: one a value, or tenths when there are many.

    >>> accuracy_bins(np.array([0.5, 1.0, 0.5]))
    ([0.5, 1.0], [2, 1], 0.2)
    """
    values, counts = np.unique(np.round(accuracies, 6), return_counts=True)
    if len(values) > MOST_VALUES:
        counts, edges = np.histogram(accuracies, bins=10, range=(0, 1))
        return [float(x) for x in (edges[:-1] + 0.05)], [int(n) for n in counts], 0.1
    gap = float(np.diff(values).min()) if len(values) > 1 else 0.2
    return [float(x) for x in values], [int(n) for n in counts], min(gap, 0.2)
