"""The training curves of one fold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from fmridecode.report.palette import ACCENT, FAINT, PAPER

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


def paint_curves(
    axes: Axes, rows: pd.DataFrame, *, limits: tuple[float, float], title: str
) -> None:
    """Draw training and validation loss against the epoch, and mark the epoch that was kept.

    Parameters
    ----------
    axes
        Where to draw.
    rows
        The fold's rows of ``training.tsv``; several decoders of an ensemble are several lines.
    limits
        Of the loss, shared by all folds.
    title
        Names the fold.
    """
    members = rows.groupby("member", sort=True) if "member" in rows else ((1, rows),)
    for _, member in members:
        epochs = member["epoch"] + 1
        axes.plot(epochs, member["train_loss"], color=FAINT.light, linewidth=1.4)
        axes.plot(epochs, member["validation_loss"], color=ACCENT.light, linewidth=1.8)
        if "selected" in member:
            kept = member[member["selected"].astype(bool)]
            axes.plot(
                kept["epoch"] + 1, kept["validation_loss"], "o", color=ACCENT.light,
                markersize=7, markeredgecolor=PAPER.light, markeredgewidth=1.4, clip_on=False,
            )  # fmt: skip
    axes.set(ylim=limits, title=title, xlabel="epoch")
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.grid(axis="y")
    axes.spines["left"].set_visible(False)
