"""How alike maps stay as the layers of a decoder become random."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fmridecode.report.drawing import short
from fmridecode.report.palette import ACCENT, FAINT, PAPER, RULE, SOFT

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_LINES: dict[str, dict[str, Any]] = {
    "ssim": {"color": FAINT.light, "linestyle": (0, (1, 2)), "linewidth": 1.6},
    "rank_correlation_absolute": {
        "color": SOFT.light, "linestyle": (0, (4, 2)), "linewidth": 1.6,
    },
    "rank_correlation": {"color": ACCENT.light, "linestyle": "-", "linewidth": 2.0},
}  # fmt: skip


def paint_sanity(
    axes: Axes, rows: pd.DataFrame, *, limits: tuple[float, float], threshold: float
) -> None:
    """Draw the similarities with the decoder's own map against the layers that are random.

    Parameters
    ----------
    axes
        Where to draw.
    rows
        The rows of ``sanity_summary`` of one method, of random weights.
    limits
        Of the similarity, shared by the panels.
    threshold
        Above which a method is marked.
    """
    axes.axhline(0, color=RULE.light, linewidth=1.0, zorder=1)
    axes.axhline(threshold, color=FAINT.light, linewidth=1.0, linestyle=(0, (3, 3)), zorder=1)
    for order, (similarity, style) in enumerate(_LINES.items()):
        line = rows[rows["similarity"] == similarity].sort_values("depth")
        depth = np.concatenate([[0], line["depth"].to_numpy(dtype=np.float64)])
        value = np.concatenate([[1], line["value"].to_numpy(dtype=np.float64)])
        axes.plot(depth, value, zorder=4 + order, **style)
        axes.plot(
            depth, value, "o", color=style["color"], markersize=5,
            markeredgecolor=PAPER.light, markeredgewidth=1.0, zorder=7 + order,
        )  # fmt: skip
        axes.vlines(
            depth[1:], line["ci_low"], line["ci_high"], color=style["color"], linewidth=1.4,
            zorder=3 + order,
        )  # fmt: skip
    layers = rows.drop_duplicates("depth").sort_values("depth")
    names = ["none", *(short(str(each)) for each in layers["layer"])]
    axes.set_xticks(range(len(names)), names, rotation=30, ha="right")
    axes.set(ylim=limits, xlim=(-0.15, len(names) - 0.85), ylabel="similarity")
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
