"""The reliability diagram: accuracy against confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fmridecode.report.palette import ACCENT, FAINT, PAPER

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LARGEST = 130  # of a point, in square points


def paint_reliability(axes: Axes, rows: pd.DataFrame) -> None:
    """Draw the bins of both stages; a point's area grows with the maps of its bin.

    Parameters
    ----------
    axes
        Where to draw.
    rows
        The rows of ``decoding_reliability``.
    """
    axes.plot([0, 1], [0, 1], color=FAINT.light, linewidth=1.0, linestyle=(0, (3, 3)), zorder=1)
    for order, (stage, colour) in enumerate((("uncalibrated", FAINT), ("calibrated", ACCENT))):
        bins = rows[rows["stage"] == stage]
        if bins.empty:
            continue
        axes.plot(
            bins["confidence"], bins["accuracy"], color=colour.light, linewidth=1.6,
            zorder=3 + order,
        )  # fmt: skip
        share = np.asarray(bins["n_maps"] / bins["n_maps"].max(), dtype=np.float64)
        axes.scatter(
            bins["confidence"], bins["accuracy"], s=14 + LARGEST * share, color=colour.light,
            edgecolor=PAPER.light, linewidth=1.2, zorder=5 + order, clip_on=False,
        )  # fmt: skip
    axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="accuracy", aspect="equal")
    axes.grid()
