"""The deletion and insertion curves behind the gains in faithfulness."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Gallery, Heading, Key, Picture
from fmridecode.report.charts.faithfulness import paint_faithfulness
from fmridecode.report.drawing import draw
from fmridecode.report.numbers import count, interval, number
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from fmridecode.report.derivatives import Derivatives

_COLUMNS = ("method", "order", "replacement", "curve", "series", "share", "probability",
            "ci_low", "ci_high", "n_participants")  # fmt: skip
_ORDERS = {
    "absolute": "Curves, voxels by magnitude of saliency",
    "signed": "Curves, voxels by signed saliency",
}
_LEGEND = (
    Key(css="accent line", text="saliency map"),
    Key(css="soft line", text="smooth-random map; the area between is filled"),
    Key(css="faint line", text="random order"),
)


def faithfulness_curves(derivatives: Derivatives) -> tuple[Block, ...]:
    """Draw deletion and insertion of every method; nothing where curves were not kept.

    Voxels are replaced by 0; what else they are replaced by is in the table alone.
    """
    table = derivatives.table("faithfulness_curves", *_COLUMNS)
    if table is None or table.frame.empty:
        return ()
    rows = table.frame[table.frame["replacement"] == "zero"]
    low, high = float(rows["ci_low"].min()), float(rows["ci_high"].max())
    margin = 0.05 * (high - low) or 0.05
    gains = _gains(derivatives)
    blocks: list[Block] = []
    for order, title in _ORDERS.items():
        pictures = tuple(
            _picture(
                derivatives,
                (str(method), order, str(curve)),
                few,
                limits=(low - margin, high + margin),
                gain=gains.get((str(method), order, str(curve)), ""),
                file=table.path,
            )
            for (method, curve), few in rows[rows["order"] == order].groupby(
                ["method", "curve"], sort=False
            )
        )
        if pictures:
            gallery = Gallery(pictures=pictures, smallest=270, legend=_LEGEND)
            blocks += [Heading(text=title), gallery]
    return tuple(blocks)


def _gains(derivatives: Derivatives) -> dict[tuple[str, str, str], str]:
    """Return the area between map and smooth-random map with its interval, as text."""
    table = derivatives.table("faithfulness_summary")
    if table is None:
        return {}
    frame = table.frame
    rows = frame[(frame["replacement"] == "zero") & (frame["reference"] == "smooth-random")]
    return {
        (str(row["method"]), str(row["order"]), str(row["curve"])): (
            f"{number(row['gain'], 3)} {interval(row['ci_low'], row['ci_high'], 3)}".strip()
        )
        for _, row in rows.iterrows()
    }


def _picture(
    derivatives: Derivatives,
    key: tuple[str, str, str],
    rows: pd.DataFrame,
    *,
    limits: tuple[float, float],
    gain: str,
    file: Path,
) -> Picture:
    method, order, curve = key
    own = rows[rows["series"] == "map"].sort_values("share")
    half = own.iloc[len(own) // 2]
    between = f" Area between map and smooth-random map, as a gain: {gain}." if gain else ""
    return draw(
        derivatives,
        f"group_faithfulness_curve_{method}_{order}_{curve}",
        lambda axes: paint_faithfulness(axes, rows, limits=limits, deletion=curve == "deletion"),
        width=2.9,
        height=2.2,
        alt=f"{curve.capitalize()} curve of {method_title(method)}: the probability of the true "
        f"class goes from {number(own['probability'].iloc[0])} by "
        f"{number(half['probability'])} at a share of {number(half['share'], 1)} to "
        f"{number(own['probability'].iloc[-1])}.{between}",
        caption=f"{method_title(method)}, {curve}. Mean over "
        f"{count(int(own['n_participants'].max()), 'participant')}; vertical bars: 95 % "
        f"bootstrap intervals.{between}",
        sources=(file,),
    )
