"""Accuracy against the number of participants that a decoder learned from."""

from __future__ import annotations

from dataclasses import dataclass

from matplotlib.figure import Figure

from fmridecode.report.drawing import chart_style
from fmridecode.report.palette import FAINT

STYLES = (("#0072b2", "o"), ("#d55e00", "s"), ("#e69f00", "^"), ("#009e73", "D"))
WIDTH = 0.03
"""By how much curves are set apart, as a factor, so that their intervals can be told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One decoder: its accuracy and the ends of its interval at every size."""

    title: str
    sizes: tuple[int, ...]
    accuracy: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]


def learning_figure(curves: tuple[Curve, ...], *, chance: float) -> Figure:
    """Draw all curves in one panel, sizes on a logarithmic axis."""
    with chart_style():
        figure = Figure(figsize=(6.4, 4.2), layout="constrained")
        axes = figure.subplots()
        for number, curve in enumerate(curves):
            colour, marker = STYLES[number % len(STYLES)]
            apart = 1 + WIDTH * (number - (len(curves) - 1) / 2)
            errors = [
                [a - b for a, b in zip(curve.accuracy, curve.low, strict=True)],
                [b - a for a, b in zip(curve.accuracy, curve.high, strict=True)],
            ]
            axes.errorbar(
                [size * apart for size in curve.sizes],
                curve.accuracy,
                yerr=errors,
                color=colour,
                marker=marker,
                markersize=5.0,
                linewidth=1.6,
                elinewidth=1.2,
                capsize=2.5,
                label=curve.title,
            )
        axes.axhline(chance, color=FAINT.light, linewidth=1.0, linestyle="--", label="chance")
        sizes = sorted({size for curve in curves for size in curve.sizes})
        axes.set_xscale("log")
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.set_xticks([], minor=True)
        axes.set(xlabel="participants to learn from", ylabel="accuracy (95 % interval)")
        axes.grid(axis="y")
        figure.legend(loc="outside lower center", ncols=1, frameon=False)
    return figure
