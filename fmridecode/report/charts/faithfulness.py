"""The curve of a saliency map as voxels are replaced, and those of its references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fmridecode.report.palette import ACCENT, FAINT, SOFT, TINT

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_LINES: dict[str, dict[str, Any]] = {
    "random": {"color": FAINT.light, "linestyle": (0, (1, 2)), "linewidth": 1.4},
    "smooth-random": {"color": SOFT.light, "linestyle": (0, (4, 2)), "linewidth": 1.4},
    "map": {"color": ACCENT.light, "linestyle": "-", "linewidth": 2.0},
}


def paint_faithfulness(
    axes: Axes, rows: pd.DataFrame, *, limits: tuple[float, float], deletion: bool
) -> None:
    """Draw the probability of the true class against the share of voxels.

    The area between the map and the smooth-random reference is filled; bars are the intervals.

    Parameters
    ----------
    axes
        Where to draw.
    rows
        The rows of ``faithfulness_curves`` of one method, order, replacement and curve.
    limits
        Of the probability, shared by the panels.
    deletion
        Whether voxels are replaced, or put back.
    """
    found = {str(name): each for name, each in rows.groupby("series", sort=False)}
    if {"map", "smooth-random"} <= found.keys():
        own, other = found["map"], found["smooth-random"]
        axes.fill_between(
            np.asarray(own["share"]), np.asarray(own["probability"]),
            np.asarray(other["probability"]), color=TINT.light, linewidth=0, zorder=1,
        )  # fmt: skip
    for order, (name, style) in enumerate(_LINES.items()):
        if name not in found:
            continue
        curve = found[name]
        share, p = (np.asarray(curve[each], dtype=np.float64) for each in ("share", "probability"))
        axes.plot(share, p, zorder=4 + order, **style)
        if name != "random":
            axes.vlines(
                share, curve["ci_low"], curve["ci_high"], color=style["color"], linewidth=0.9,
                alpha=0.7, zorder=3 + order,
            )  # fmt: skip
    done = "replaced" if deletion else "put back"
    axes.set(
        xlim=(-0.02, 1.02), ylim=limits, xlabel=f"share of voxels {done}", ylabel="probability"
    )
    axes.set_xticks([0, 0.5, 1])
    axes.grid(axis="y")
