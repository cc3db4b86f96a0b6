"""The probabilities that a decoder gave the classes, one map a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fmridecode.report.drawing import annotate_reference, short
from fmridecode.report.palette import ACCENT, FAINT, INK, PAPER, RULE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

ROW_INCHES = 0.4


def paint_probabilities(
    axes: Axes,
    probabilities: NDArray[np.float64],
    truth: list[str],
    classes: list[str],
    labels: list[str],
) -> None:
    """Draw each class's probability as a dot: the true class filled, the others as rings.

    Parameters
    ----------
    axes
        Where to draw.
    probabilities
        ``(maps, classes)``.
    truth
        True class of each map.
    classes
        Names of the classes.
    labels
        Names of the maps, on the left.
    """
    for position, (row, label) in enumerate(zip(probabilities, truth, strict=True)):
        axes.plot([0, 1], [position] * 2, color=RULE.light, linewidth=1.0, zorder=1)
        best = int(np.nanargmax(row))
        for index, (name, p) in enumerate(zip(classes, row, strict=True)):
            right = name == label
            axes.plot(
                [p], [position], "o", zorder=4 if right else 3,
                color=ACCENT.light if right else PAPER.light,
                markeredgecolor=PAPER.light if right else FAINT.light,
                markersize=9.5 if right else 6.5, markeredgewidth=1.3,
            )  # fmt: skip
            if index == best and not right:
                axes.annotate(
                    short(name), (p, position), xytext=(-8 if p > 0.6 else 8, 0),
                    textcoords="offset points", ha="right" if p > 0.6 else "left",
                    va="center", fontsize=8.5, color=SOFT.light,
                    bbox={"facecolor": PAPER.light, "edgecolor": "none", "pad": 1.5},
                    zorder=2,
                )  # fmt: skip
    annotate_reference(axes, 1 / max(len(classes), 1), "chance")
    axes.set_yticks(range(len(truth)), [short(label) for label in labels], color=INK.light)
    axes.set(xlim=(-0.03, 1.03), ylim=(len(truth) - 0.45, -0.55), xlabel="calibrated probability")
    axes.spines["left"].set_visible(False)
