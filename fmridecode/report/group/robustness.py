"""How strong an attack the decoder bears."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Column, Gallery, Grid, Missing, Picture, Prose
from fmridecode.report.charts.robustness import paint_robustness
from fmridecode.report.drawing import draw, source
from fmridecode.report.numbers import count, interval, number, whole

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table

_COLUMNS = ("metric", "epsilon", "value", "ci_low", "ci_high", "chance", "steps",
            "epsilon_trained", "n_maps", "n_participants")  # fmt: skip
_METRICS = {"accuracy": "accuracy", "probability": "probability of the true class"}


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Show accuracy, and the probability of the true class, against the attack's strength."""
    table = derivatives.table("robustness_summary", *_COLUMNS)
    if table is None:
        return (
            Missing(
                what="Accuracy under attack cannot be shown",
                file="group_desc-robustness_summary.tsv",
                remedy="run the participant level without --robustness off, then the group level",
            ),
        )
    steps = whole(table.frame["steps"].max())
    return (
        Prose(
            text="Noise is sought that makes the decoder doubt the true class of a map of a "
            f"participant that it has not seen, by {steps} steps of projected gradient descent "
            "(Madry et al., 2018) within an L2 ball. The bound is given in SD per voxel: its "
            "radius is that times the root of the number of voxels, so that noise of the "
            "bound’s SD in every voxel, but in no special direction, would be as long."
        ),
        Gallery(pictures=tuple(_picture(derivatives, table, metric) for metric in _METRICS)),
        _grid(derivatives, table),
    )


def _picture(derivatives: Derivatives, table: Table, metric: str) -> Picture:
    rows = table.frame[table.frame["metric"] == metric].sort_values("epsilon")
    trained = float(rows["epsilon_trained"].mean())
    said = " ".join(
        f"At {row['epsilon']:g}: {number(row['value'])} {interval(row['ci_low'], row['ci_high'])}."
        for _, row in rows.iterrows()
    )
    if trained == trained:
        mark = f" Marked: the bound of the training’s noise, {trained:g}."
    else:
        mark = " The decoders were trained without noise."
    n = count(int(rows["n_participants"].max()), "participant")
    return draw(
        derivatives,
        f"group_robustness_{metric}",
        lambda axes: paint_robustness(axes, rows, label=_METRICS[metric], trained=trained),
        width=4.0,
        height=2.8,
        alt=f"{_METRICS[metric].capitalize()} against the bound of the attack. {said}{mark}",
        caption=f"{_METRICS[metric].capitalize()} under attack. Band: 95 % bootstrap intervals "
        f"over {n} ({count(int(rows['n_maps'].max()), 'map')}).{mark}",
        sources=(table.path,),
    )


def _grid(derivatives: Derivatives, table: Table) -> Grid:
    meaning = table.descriptions.get
    return Grid(
        caption="Accuracy and probability of the true class under attack, with 95 % bootstrap "
        "confidence intervals over participants.",
        columns=(
            Column("Metric", meaning=meaning("metric", "")),
            Column("Bound", numeric=True, meaning=meaning("epsilon", "")),
            Column("Value", numeric=True, meaning=meaning("value", "")),
            Column("95 % CI", numeric=True, meaning=meaning("ci_low", "")),
            Column("Participants", numeric=True),
            Column("Maps", numeric=True),
        ),
        rows=tuple(
            (
                _METRICS.get(str(row["metric"]), str(row["metric"])),
                f"{row['epsilon']:g}",
                number(row["value"]),
                interval(row["ci_low"], row["ci_high"]),
                whole(row["n_participants"]),
                whole(row["n_maps"]),
            )
            for _, row in table.frame.iterrows()
        ),
        sources=(source(derivatives, table.path),),
        opened=False,
    )
