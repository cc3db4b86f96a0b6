"""Every two parcels as a heat map, positive in one colour and negative in the other."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import NullLocator

from fmridecode.report.drawing import draw, label_inches, short
from fmridecode.report.interactions import networks, plain_name, significant
from fmridecode.report.numbers import number
from fmridecode.report.palette import FAINT, INK, NEGATIVE, PAPER, POSITIVE, RULE, SOFT

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from fmridecode.report.blocks import Picture
    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.interactions import Matrix

NAMED = 40
"""Parcels up to which each is named at the axes."""
NUMBERED = 9
"""Parcels up to which each cell has its number."""
SATURATES = 99.0
"""Percentile of the magnitudes between different parcels at which colours end."""
SIDE = 900
"""Pixels of the heat map, about."""


def interactions_picture(
    derivatives: Derivatives,
    name: str,
    matrix: Matrix,
    *,
    alt: str,
    caption: str,
    sources: tuple[Path, ...],
) -> Picture:
    """Draw a heat map of a matrix.

    Parameters
    ----------
    name
        Stem of the figure's file.
    alt, caption
        What is shown, in words; where colours end is added to the caption.
    """
    n = len(matrix.names)
    limit = colour_limit(matrix.values)
    named = n <= NAMED
    size = min(6.4, 1.4 + 0.56 * n) if n <= NUMBERED else 5.6 if n <= NAMED else 6.4
    labels = [plain_name(each) for each in matrix.names] if named else []
    runs = [label for label, _, _ in networks(matrix.names)]
    return draw(
        derivatives,
        name,
        lambda axes: _paint(axes, matrix, limit),
        width=size + label_inches(labels or runs) + 0.7,
        height=size,
        alt=alt,
        caption=f"{caption} Colours end at ±{significant(limit)}"
        + (", the diagonal’s too." if _diagonal_exceeds(matrix, limit) else "."),
        sources=sources,
        cropped=True,
    )


def colour_limit(values: NDArray[np.float64]) -> float:
    """Return where colours end: a high percentile of the magnitudes between parcels."""
    apart = np.abs(values[~np.eye(len(values), dtype=bool)])
    limit = float(np.percentile(apart, SATURATES)) if apart.size else 0.0
    return limit or float(np.abs(values).max(initial=0.0))


def _diagonal_exceeds(matrix: Matrix, limit: float) -> bool:
    return bool((np.abs(np.diag(matrix.values)) > limit).any())


def _paint(axes: Axes, matrix: Matrix, limit: float) -> None:
    n = len(matrix.names)
    scaled = matrix.values / limit if limit > 0 else np.zeros_like(matrix.values)
    enlarged = np.kron(scaled, np.ones((max(1, SIDE // n),) * 2))
    axes.imshow(
        coloured(enlarged), extent=(-0.5, n - 0.5, n - 0.5, -0.5), interpolation="none", zorder=2
    )
    axes.set_facecolor("none")
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color(FAINT.light)
    axes.set(xlim=(-0.5, n - 0.5), ylim=(n - 0.5, -0.5), aspect="equal")
    runs = networks(matrix.names)
    if n <= NUMBERED:
        _write_numbers(axes, matrix.values, limit)
    if n <= NAMED:
        _name_parcels(axes, matrix)
    elif runs:
        _name_networks(axes, runs)
    else:
        axes.xaxis.set_major_locator(NullLocator())
        axes.yaxis.set_major_locator(NullLocator())
    for (before, _, after), (behind, _, _) in pairwise(runs):
        other_side = before[:2] != behind[:2]
        colour, width = (SOFT, 1.2) if other_side else (FAINT, 0.5)
        for line in (axes.axhline, axes.axvline):
            line(after - 0.5, color=colour.light, linewidth=width, zorder=3)
    _colour_bar(axes, limit)


def coloured(scaled: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Return colours of numbers from -1 to 1; at 0 the paper, of any colour, shows through."""
    image = np.empty((*scaled.shape, 4))
    image[..., :3] = np.where(scaled[..., None] >= 0, POSITIVE, NEGATIVE)
    image[..., 3] = np.clip(np.abs(scaled), 0.0, 1.0)
    return image


def _write_numbers(axes: Axes, values: NDArray[np.float64], limit: float) -> None:
    digits = max(0, 1 - math.floor(math.log10(limit))) if limit > 0 else 0
    for (row, column), value in np.ndenumerate(values):
        colour = PAPER if abs(value) > 0.6 * limit > 0 else INK
        axes.text(
            column, row, number(float(value), digits), ha="center", va="center",
            color=colour.light, fontsize=8.5, zorder=4,
        )  # fmt: skip


def _name_parcels(axes: Axes, matrix: Matrix) -> None:
    n = len(matrix.names)
    labels = [short(plain_name(each)) for each in matrix.names]
    size = 9.0 if n <= 16 else 7.0
    axes.set_yticks(range(n), labels, fontsize=size, color=INK.light)
    axes.set_xticks(
        range(n), labels, rotation=45 if n <= 16 else 90, ha="right" if n <= 16 else "center",
        fontsize=size, color=INK.light, rotation_mode="anchor" if n <= 16 else "default",
    )  # fmt: skip


def _name_networks(axes: Axes, runs: list[tuple[str, int, int]]) -> None:
    middles = [(first + last - 1) / 2 for _, first, last in runs]
    labels = [label for label, _, _ in runs]
    axes.set_yticks(middles, labels, color=INK.light)
    axes.set_xticks(
        middles, labels, rotation=45, ha="right", color=INK.light, rotation_mode="anchor"
    )


def _colour_bar(axes: Axes, limit: float) -> None:
    bar = axes.inset_axes((1.03, 0.3, 0.03, 0.4))
    ramp = np.linspace(1, -1, 256)[:, None].repeat(8, axis=1)
    bar.imshow(coloured(ramp), extent=(0, 1, -1, 1), aspect="auto", interpolation="none")
    bar.set_xticks([])
    bar.yaxis.tick_right()
    bar.set_yticks([-1, 0, 1], [significant(-limit), "0", significant(limit)], fontsize=8)
    bar.spines[:].set_visible(True)
    bar.spines[:].set_color(RULE.light)
