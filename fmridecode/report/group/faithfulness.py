"""Whether the decoder uses the voxels that the saliency maps mark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Column, Gallery, Grid, Missing, Picture, Prose
from fmridecode.report.charts.estimates import (
    Estimate,
    common_limits,
    estimates_height,
    estimates_width,
    paint_estimates,
)
from fmridecode.report.drawing import draw, source
from fmridecode.report.group.faithfulness_curves import faithfulness_curves
from fmridecode.report.numbers import count, interval, number, whole
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    import pandas as pd

    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table

_EXPLANATION = Prose(
    text="Voxels are replaced in the order of the saliency map of the true class, a tenth "
    "after the other (deletion), or put back in that order into a map of which all is "
    "replaced (insertion). The gain is the area between the curve of the calibrated "
    "probability of the true class and the same curve for a reference: voxels in random "
    "order, or in the order of a random map with the spectrum of the saliency map "
    "(smooth-random), which is the fairer one. Above 0 the map says more of the decoder "
    "than the reference does. Alignment with activation is another matter: a map may have "
    "one without the other."
)
_COLUMNS = ("method", "order", "replacement", "curve", "reference", "gain", "ci_low", "ci_high",
            "n_maps", "n_participants")  # fmt: skip


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Show the gain of every method over the references."""
    table = derivatives.table("faithfulness_summary", *_COLUMNS)
    if table is None:
        return (
            Missing(
                what="Faithfulness cannot be shown",
                file="group_desc-faithfulness_summary.tsv",
                remedy="run the participant level without --faithfulness off, then the group "
                "level",
            ),
        )
    shown = table.frame[
        (table.frame["reference"] == "smooth-random") & (table.frame["replacement"] == "zero")
    ]
    pictures = tuple(
        _picture(derivatives, table, str(order), str(curve), rows)
        for (order, curve), rows in shown.groupby(["order", "curve"], sort=False)
    )
    gallery = (Gallery(pictures=pictures),) if pictures else ()
    return (_EXPLANATION, *gallery, *faithfulness_curves(derivatives), _grid(derivatives, table))


def _picture(
    derivatives: Derivatives, table: Table, order: str, curve: str, rows: pd.DataFrame
) -> Picture:
    estimates = tuple(
        Estimate(
            label=method_title(str(row["method"])),
            value=float(row["gain"]),
            low=float(row["ci_low"]),
            high=float(row["ci_high"]),
        )
        for _, row in rows.iterrows()
    )
    said = " ".join(
        f"{each.label} {number(each.value, 3)} {interval(each.low, each.high, 3)}."
        for each in estimates
    )
    by = "magnitude" if order == "absolute" else "signed value"
    return draw(
        derivatives,
        f"group_faithfulness_{order}_{curve}",
        lambda axes: paint_estimates(
            axes,
            estimates,
            limits=common_limits(estimates, include=0),
            reference=(0, "smooth-random"),
            axis="gain in probability",
        ),
        width=estimates_width(estimates),
        height=estimates_height(estimates),
        alt=f"Gain in {curve} by {by} of saliency, against smooth random maps. {said}",
        caption=f"{curve.capitalize()} by {by} of saliency, voxels replaced by 0: gain over "
        "smooth random maps. Points: means; bars: 95 % bootstrap intervals over "
        f"{count(int(rows['n_participants'].max()), 'participant')}.",
        sources=(table.path,),
    )


def _grid(derivatives: Derivatives, table: Table) -> Grid:
    meaning = table.descriptions.get
    rows = tuple(
        (
            method_title(str(row["method"])),
            *(str(row[name]) for name in ("order", "replacement", "curve", "reference")),
            number(row["gain"], 3),
            interval(row["ci_low"], row["ci_high"], 3),
            whole(row["n_participants"]),
            whole(row["n_maps"]),
        )
        for _, row in table.frame.iterrows()
    )
    return Grid(
        caption="Gains in faithfulness with 95 % bootstrap confidence intervals over "
        "participants.",
        columns=(
            Column("Method", meaning=meaning("method", "")),
            Column("Order", meaning=meaning("order", "")),
            Column("Replaced by", meaning=meaning("replacement", "")),
            Column("Curve", meaning=meaning("curve", "")),
            Column("Against", meaning=meaning("reference", "")),
            Column("Gain", numeric=True, meaning=meaning("gain", "")),
            Column("95 % CI", numeric=True, meaning=meaning("ci_low", "")),
            Column("Participants", numeric=True),
            Column("Maps", numeric=True),
        ),
        rows=rows,
        sources=(source(derivatives, table.path),),
        opened=False,
    )
