"""Predicted against true numbers, with the intervals that the decoder gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fmridecode.report.palette import ACCENT, FAINT, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

MOST_BARS = 150
"""Participants up to whom intervals are drawn: more of them would hide the points."""


def paint_prediction(
    axes: Axes,
    true: NDArray[np.float64],
    predicted: NDArray[np.float64],
    sd: NDArray[np.float64],
    *,
    what: str,
) -> None:
    """Draw a point and a bar of two SDs each way for every participant, beside the diagonal."""
    every = np.concatenate([true, predicted])
    margin = 0.06 * float(np.ptp(every)) or 1.0
    limits = float(every.min()) - margin, float(every.max()) + margin
    axes.plot(limits, limits, color=FAINT.light, linewidth=1.0, linestyle=(0, (3, 3)), zorder=1)
    if len(true) <= MOST_BARS:
        axes.errorbar(
            true, predicted, yerr=1.96 * sd, fmt="none", ecolor=SOFT.light, elinewidth=0.8,
            alpha=0.45, zorder=2,
        )  # fmt: skip
    axes.plot(
        true, predicted, "o", color=ACCENT.light, markersize=4.5, markeredgewidth=0, zorder=3
    )
    axes.set(xlim=limits, xlabel=f"true {what}", ylabel=f"predicted {what}")
    axes.grid()
