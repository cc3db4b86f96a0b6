"""The confusion matrix: shares of each true class, with the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from fmridecode.report.blocks import Picture
from fmridecode.report.drawing import draw, label_inches, short
from fmridecode.report.numbers import count, number, whole
from fmridecode.report.palette import ACCENT, INK, PAPER, RULE, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table

MOST_WITH_NUMBERS = 12


def confusion_picture(derivatives: Derivatives, table: Table) -> Picture:
    """Draw the confusion matrix of the group."""
    labels = [str(label) for label in table.frame["true_label"]]
    predicted = [column for column in table.frame.columns if column != "true_label"]
    counts = table.frame[predicted].to_numpy(dtype=np.float64)
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0)
    cell = 0.74 if len(predicted) <= 5 else 0.62 if len(predicted) <= 8 else 0.44
    tilted = max((len(short(name)) for name in predicted), default=0) > 7 * cell / 0.62
    head = 0.35 + (0.055 * max(len(short(name)) for name in predicted) if tilted else 0.1)

    def paint(axes: Axes) -> None:
        _paint(axes, counts, shares)
        axes.set_yticks(range(len(labels)), [short(label) for label in labels], color=INK.light)
        axes.set_xticks(
            range(len(predicted)),
            [short(label) for label in predicted],
            rotation=40 if tilted else 0,
            ha="left" if tilted else "center",
            color=INK.light,
        )
        axes.text(
            -0.62, -0.62, "true ↓  decoded as →", ha="right", va="bottom", color=SOFT.light,
            fontsize=8.5,
        )  # fmt: skip

    alt = "Confusion matrix. " + " ".join(
        f"Of {whole(total)} maps of {label}, {number(100 * float(right), 0)} % were decoded so."
        for label, total, right in zip(
            labels, totals[:, 0], _recalls(labels, predicted, shares), strict=True
        )
    )
    return draw(
        derivatives,
        "group_confusion",
        paint,
        width=max(label_inches(labels), 1.6) + 0.3 + cell * len(predicted),
        height=head + cell * len(labels),
        alt=alt,
        caption=(
            f"Confusion matrix of {count(counts.sum(), 'map')}. Colour and large number: percent "
            "of the maps of a true class (a row sums to 100, but for rounding). Small number: "
            "count."
        ),
        sources=(table.path,),
        cropped=True,
    )


def _paint(axes: Axes, counts: NDArray[np.float64], shares: NDArray[np.float64]) -> None:
    n_rows, n_columns = counts.shape
    with_numbers = max(n_rows, n_columns) <= MOST_WITH_NUMBERS
    for row, column in np.ndindex(n_rows, n_columns):
        share = float(shares[row, column])
        corner = (column - 0.47, row - 0.47)
        axes.add_patch(Rectangle(corner, 0.94, 0.94, facecolor=RULE.light, alpha=0.4))
        axes.add_patch(Rectangle(corner, 0.94, 0.94, facecolor=ACCENT.light, alpha=share))
        if with_numbers:
            strong, weak = (PAPER, PAPER) if share > 0.7 else (INK, INK if share > 0.35 else SOFT)
            axes.text(
                column, row - 0.08, number(100 * share, 0), ha="center", va="center",
                color=strong.light, fontsize=11,
            )  # fmt: skip
            axes.text(
                column, row + 0.25, whole(float(counts[row, column])), ha="center", va="center",
                color=weak.light, fontsize=7.5,
            )  # fmt: skip
    axes.set(xlim=(-0.5, n_columns - 0.5), ylim=(n_rows - 0.5, -0.5), aspect="equal")
    axes.xaxis.tick_top()
    axes.spines[:].set_visible(False)


def _recalls(labels: list[str], predicted: list[str], shares: NDArray[np.float64]) -> list[float]:
    return [
        float(shares[row, predicted.index(label)]) if label in predicted else 0.0
        for row, label in enumerate(labels)
    ]
