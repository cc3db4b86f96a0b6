"""A number against the strength of an attack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fmridecode.report.drawing import annotate_reference
from fmridecode.report.palette import ACCENT, FAINT, PAPER, TINT

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def paint_robustness(axes: Axes, rows: pd.DataFrame, *, label: str, trained: float) -> None:
    """Draw the values with their intervals, chance, and the bound of the training's noise.

    Parameters
    ----------
    axes
        Where to draw.
    rows
        The rows of ``robustness_summary`` of one metric.
    label
        Of the axis.
    trained
        Bound of the noise that the decoders were trained with; NaN for none.
    """
    rows = rows.sort_values("epsilon")
    strength, value, low, high, chance = (
        rows[name].to_numpy(dtype=np.float64)
        for name in ("epsilon", "value", "ci_low", "ci_high", "chance")
    )
    axes.fill_between(strength, low, high, color=TINT.light, linewidth=0, zorder=2)
    axes.plot(strength, value, color=ACCENT.light, linewidth=2.0, zorder=4)
    axes.plot(
        strength, value, "o", color=ACCENT.light, markersize=6.5, clip_on=False,
        markeredgecolor=PAPER.light, markeredgewidth=1.2, zorder=5,
    )  # fmt: skip
    if np.isfinite(chance).all():
        axes.axhline(chance[0], color=FAINT.light, linewidth=1.2, linestyle=(0, (3, 3)), zorder=3)
        axes.text(
            1.0, chance[0] + 0.012, "chance", transform=axes.get_yaxis_transform(),
            ha="right", va="bottom", color=FAINT.light,
        )  # fmt: skip
    if np.isfinite(trained):
        annotate_reference(axes, trained, "trained at")
    axes.set(
        xlim=(-0.02 * strength.max(), 1.02 * strength.max()), ylim=(0, 1),
        xlabel="bound of the attack, SD per voxel", ylabel=label,
    )  # fmt: skip
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
