"""Figures of the synthetic experiment, drawn without pyplot and its global state."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from fmridecode.experiments.synthetic import METHODS, MethodScores
from fmridecode.experiments.synthetic_settings import CLASSES, SHAPE
from fmridecode.experiments.templates import templates, truth

DPI = 200
TITLES = {
    "weights": "Linear\nweights",
    "linear-gradient": "Linear\ngradient",
    "nn-gradient": "NN\ngradient",
    "gradient-x-input": "NN gradient\ntimes input",
    "smoothgrad": "NN\nSmoothGrad",
    "random-noise": "NN trained on\nrandom noise",
    "adversarial": "NN trained\nadversarially",
}
COLOURS = {
    "linear-gradient": "#7f7f7f",
    "nn-gradient": "#0072b2",
    "smoothgrad": "#56b4e9",
    "adversarial": "#d55e00",
}
"""Lines of the sweep, from the Okabe-Ito palette, which the colour-blind can tell apart."""


def _panel(axes: Axes, values: NDArray[np.floating], *, signed: bool = True) -> None:
    """Show one map; signed maps are white at 0 and saturate at their largest magnitude."""
    largest = float(np.abs(values).max()) or 1.0
    low, colours = (-largest, "RdBu_r") if signed else (0.0, "Greys")
    axes.imshow(values, cmap=colours, vmin=low, vmax=largest, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for side in axes.spines.values():
        side.set_linewidth(0.4)
        side.set_color("0.6")


def _mean_r(scores: Sequence[MethodScores], method: str, label: int, target: int) -> float:
    """Return the correlation of single images' maps with the truth, averaged over all seeds."""
    values = [
        np.nanmean(each.pearson_r[each.labels == label, target])
        for each in scores
        if each.method == method
    ]
    return float(np.mean(values))


def _mean_map(
    scores: Sequence[MethodScores], method: str, label: int, target: int
) -> NDArray[np.float64]:
    """Return the map of the first seed; a mean over decoders would be better than any of them."""
    first = min((each for each in scores if each.method == method), key=lambda each: each.seed)
    one: NDArray[np.float64] = first.mean_maps[label, target]
    return one


def _short(r: float) -> str:
    """Format a correlation without its leading zero."""
    return f"{r:.2f}".replace("0.", ".", 1)


def _rows_of_maps(
    rows: Sequence[tuple[str, int, int]],
    references: Sequence[tuple[str, Sequence[NDArray[np.floating]], bool]],
    scores: Sequence[MethodScores],
    footer: str,
) -> Figure:
    """Draw one row per (name, true class, explained class): references, then the methods."""
    columns = len(references) + len(METHODS)
    figure = Figure(figsize=(0.95 * columns + 0.5, 1.12 * len(rows) + 0.9), layout="constrained")
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for number, (name, label, target) in enumerate(rows):
        grid[number, 0].set_ylabel(name, fontsize=8)
        for axes, (_, maps, signed) in zip(grid[number], references, strict=False):
            _panel(axes, maps[number], signed=signed)
        for axes, method in zip(grid[number, len(references) :], METHODS, strict=True):
            _panel(axes, _mean_map(scores, method, label, target))
            r = _mean_r(scores, method, label, target)
            axes.set_xlabel(f"r = {_short(r)}", fontsize=7.5, labelpad=2)
    titles = [title for title, _, _ in references] + [TITLES[method] for method in METHODS]
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title, fontsize=7.5)
    figure.supxlabel(footer, fontsize=7, color="0.3")
    return figure


def _footer(criterion: str, scores: Sequence[MethodScores]) -> str:
    n = len({each.seed for each in scores})
    return (
        "Mean saliency over the test images of one seed; red positive, blue negative, each panel "
        f"to its own maximum.\nr: {criterion} of single images, whose maps are noisier than the "
        f"means shown, averaged over {n} seed{'s' * (n > 1)}."
    )


def figure1a(scores: Sequence[MethodScores]) -> Figure:
    """Draw the templates, the class informative activation, and every method's map of it."""
    known = truth()
    informative = [known.informative(k).reshape(SHAPE) for k in range(len(CLASSES))]
    references = [
        ("Template\n$M_y$", list(templates()), False),
        ("Truth\n$M_y - \\overline{M}$", informative, True),
    ]
    rows = [(f"class {name}", k, k) for k, name in enumerate(CLASSES)]
    return _rows_of_maps(rows, references, scores, _footer("CIA", scores))


def figure1b(scores: Sequence[MethodScores]) -> Figure:
    """Draw the difference of every two classes, and every method's map of it."""
    known = truth()
    pairs = [(y, k) for y in range(len(CLASSES)) for k in range(len(CLASSES)) if y != k]
    references = [
        ("Template of\nimage $M_y$", [templates()[y] for y, _ in pairs], False),
        ("Truth\n$M_k - M_y$", [known.difference(k, y).reshape(SHAPE) for y, k in pairs], True),
    ]
    rows = [(f"{CLASSES[k]} given {CLASSES[y]}", y, k) for y, k in pairs]
    return _rows_of_maps(rows, references, scores, _footer("CAD", scores))


def sweep_figure(table: pd.DataFrame, selection: pd.DataFrame) -> Figure:
    """Draw CIA and CAD on test images over L2, one column per number of updates.

    Parameters
    ----------
    table, selection
        From `fmridecode.experiments.sweep`: lines, and dotted levels of the chosen settings.
    """
    grid_cells = table[table["in_grid"]]
    l2s, updates = sorted(grid_cells["l2"].unique()), sorted(grid_cells["updates"].unique())
    figure = Figure(figsize=(2.5 * len(updates) + 0.6, 5.2), layout="constrained")
    grid = figure.subplots(2, len(updates), sharex=True, sharey="row", squeeze=False)
    for row, criterion in zip(grid, ("CIA", "CAD"), strict=True):
        for axes, n in zip(row, updates, strict=True):
            here = (grid_cells["updates"] == n) & (grid_cells["criterion"] == criterion)
            _lines_over_l2(axes, grid_cells[here])
            _levels(axes, selection[selection["criterion"] == criterion])
            axes.set_xticks(range(len(l2s)), [_power(x) for x in l2s], fontsize=7)
            axes.tick_params(axis="y", labelsize=7)
            axes.spines[["top", "right"]].set_visible(False)
        row[0].set_ylabel(f"{criterion}, test images", fontsize=8)
    for axes, n in zip(grid[0], updates, strict=True):
        axes.set_title(f"{n} updates", fontsize=9)
    figure.supxlabel(
        "coefficient of the squared weights (L2)\n"
        "dotted: any setting, also beyond this grid, chosen on validation images",
        fontsize=7.5,
    )
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4, fontsize=7, frameon=False)
    return figure


def _lines_over_l2(axes: Axes, cells: pd.DataFrame) -> None:
    for method, colour in COLOURS.items():
        over_seeds = cells[cells["method"] == method].groupby("l2")["test"]
        axes.errorbar(
            range(over_seeds.ngroups),
            over_seeds.mean(),
            yerr=over_seeds.sem().fillna(0.0),
            color=colour,
            marker="o",
            markersize=3,
            linewidth=1.2,
            label=TITLES[method].replace("\n", " "),
        )


def _levels(axes: Axes, chosen: pd.DataFrame) -> None:
    for method, level in zip(chosen["method"], chosen["test_mean"], strict=True):
        axes.axhline(level, color=COLOURS[method], linestyle=":", linewidth=1.0)


def _power(value: float) -> str:
    return "0" if value == 0 else f"$10^{{{round(np.log10(value))}}}$"


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, without the date, so that a repeated run gives the same bytes."""
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
