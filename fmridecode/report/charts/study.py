"""CIA and CAD of the rows of a study, beside the values that others published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from fmridecode.report.drawing import chart_style
from fmridecode.report.palette import ACCENT, FAINT, INK, SOFT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OFFSET = 0.16
KINDS = {
    "own": ("against the participant's own maps", ACCENT.light, "o"),
    "known": ("against the known truth", "#d55e00", "D"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyRow:
    """One row: by criterion, mean and standard error of each kind of score, and the published."""

    title: str
    here: Mapping[str, Mapping[str, tuple[float, float]]]
    published: Mapping[str, float]


def study_figure(rows: tuple[StudyRow, ...]) -> Figure:
    """Draw a panel per criterion, and a narrower one with the published values beside each."""
    criteria = tuple(rows[0].here)
    with chart_style():
        figure = Figure(figsize=(10.2, 1.5 + 0.33 * len(rows)), layout="constrained")
        panels = figure.subplots(
            1, 2 * len(criteria), sharey=True, width_ratios=[2.2, 1.0] * len(criteria)
        )
        for number, criterion in enumerate(criteria):
            _here(panels[2 * number], rows, criterion)
            _published(panels[2 * number + 1], rows, criterion)
        panels[0].set_yticks(range(len(rows)), [row.title for row in rows], color=INK.light)
        panels[0].set_ylim(len(rows) - 0.5, -0.5)
        handles, labels = panels[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower left", ncols=len(labels), frameon=False)
    return figure


def _here(axes: Axes, rows: tuple[StudyRow, ...], criterion: str) -> None:
    kinds = tuple(rows[0].here[criterion])
    for number, kind in enumerate(kinds):
        words, colour, marker = KINDS[kind]
        shift = OFFSET * (2 * number - len(kinds) + 1)
        values = [row.here[criterion][kind] for row in rows]
        axes.errorbar(
            [mean for mean, _ in values],
            [position + shift for position in range(len(rows))],
            xerr=[error for _, error in values],
            fmt=marker,
            color=colour,
            markersize=5.0,
            markeredgewidth=0,
            elinewidth=1.6,
            capsize=2.5,
            label=words + " (± SE over participants)",
        )
    axes.set(title=f"{criterion}, here", xlabel="mean correlation")
    _finish(axes)


def _published(axes: Axes, rows: tuple[StudyRow, ...], criterion: str) -> None:
    values = [row.published[criterion] for row in rows]
    axes.barh(range(len(rows)), values, height=0.5, color=FAINT.light, alpha=0.55)
    for position, value in enumerate(values):
        axes.text(
            value, position, f" {value:.2f}".replace("0.", "."), va="center", color=SOFT.light
        )
    axes.set(title=f"{criterion}, HCP (authors)", xlim=(0, 1.3 * max(values)))
    axes.set_xticks([])
    _finish(axes)


def _finish(axes: Axes) -> None:
    axes.axvline(0, color=FAINT.light, linewidth=1.0)
    axes.grid(axis="x")
    axes.spines["left"].set_visible(False)
