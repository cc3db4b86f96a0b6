"""How well the conditions were decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fmridecode.report.blocks import Block, Column, Gallery, Grid, Missing, Picture, Prose
from fmridecode.report.charts.accuracies import paint_accuracies
from fmridecode.report.charts.confusion import confusion_picture
from fmridecode.report.charts.estimates import (
    Estimate,
    estimates_height,
    estimates_width,
    paint_estimates,
)
from fmridecode.report.drawing import draw, source
from fmridecode.report.group.alignment import participants_table
from fmridecode.report.group.calibration import calibration, reliability
from fmridecode.report.group.classes import per_class
from fmridecode.report.group.comparison import comparison
from fmridecode.report.group.facts import Metric, metrics, metrics_table
from fmridecode.report.group.permutation import permutation
from fmridecode.report.numbers import count, interval, number, whole
from fmridecode.report.words import metric as metric_title

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Show metrics, classes, calibration, the confusion matrix, and participants' accuracies."""
    blocks: list[Block] = []
    pictures: list[Picture] = []
    table = metrics_table(derivatives)
    found = () if table is None else metrics(table)
    if table is None:
        blocks.append(_missing("The metrics", "group_desc-decoding_metrics.tsv"))
    else:
        blocks += [
            Prose(
                text="Intervals are 95 % percentile bootstrap intervals that resample "
                "participants, whose maps stay together."
            ),
            _metrics_grid(derivatives, table, found),
        ]
    blocks += [*permutation(derivatives), *comparison(derivatives)]
    blocks += [*per_class(derivatives), *calibration(derivatives)]
    pictures += reliability(derivatives)
    confusion = derivatives.table("confusion_counts", "true_label")
    if confusion is None:
        blocks.append(_missing("The confusion matrix", "group_desc-confusion_counts.tsv"))
    elif len(confusion.frame):
        pictures.append(confusion_picture(derivatives, confusion))
    if table is not None:
        pictures += _metrics_pictures(derivatives, table, found)
    pictures += _accuracies_pictures(derivatives, found)
    return (*blocks, Gallery(pictures=tuple(pictures), flow=True)) if pictures else tuple(blocks)


def _metrics_grid(derivatives: Derivatives, table: Table, found: tuple[Metric, ...]) -> Grid:
    meaning = table.descriptions.get
    return Grid(
        caption="Decoding metrics with 95 % bootstrap confidence intervals over participants.",
        columns=(
            Column("Metric", meaning=meaning("metric", "")),
            Column("Estimate", numeric=True, meaning=meaning("estimate", "")),
            Column("95 % CI", numeric=True, meaning=meaning("ci_low", "")),
            Column("Chance", numeric=True, meaning=meaning("chance", "")),
            Column("Participants", numeric=True, meaning=meaning("n_participants", "")),
            Column("Maps", numeric=True, meaning=meaning("n_maps", "")),
        ),
        rows=tuple(
            (
                metric_title(each.name),
                number(each.estimate),
                interval(each.low, each.high),
                number(each.chance),
                whole(each.n_participants),
                whole(each.n_maps),
            )
            for each in found
        ),
        sources=(source(derivatives, table.path),),
    )


def _metrics_pictures(
    derivatives: Derivatives, table: Table, found: tuple[Metric, ...]
) -> list[Picture]:
    shares = [each for each in found if each.is_share]
    if not shares:
        return []
    rows = tuple(
        Estimate(
            label=metric_title(each.name),
            value=each.estimate,
            low=each.low,
            high=each.high,
            chance=each.chance,
        )
        for each in shares
    )
    return [
        draw(
            derivatives,
            "group_metrics",
            lambda axes: paint_estimates(axes, rows, limits=(0, 1)),
            width=estimates_width(rows),
            height=estimates_height(rows),
            alt="Accuracies with confidence intervals. "
            + " ".join(
                f"{metric_title(each.name)} {each.written}, chance {number(each.chance)}."
                for each in shares
            ),
            caption=(
                "Points: estimates; bars: 95 % bootstrap intervals over "
                f"{count(shares[0].n_participants, 'participant')}; ticks: chance."
            ),
            sources=(table.path,),
        )
    ]


def _accuracies_pictures(derivatives: Derivatives, found: tuple[Metric, ...]) -> list[Picture]:
    table = participants_table(derivatives)
    if table is None:
        return []
    values = table.frame["accuracy"].dropna().to_numpy(dtype=np.float64)
    if values.size == 0:
        return []
    chance = next((each.chance for each in found if each.name == "accuracy"), float("nan"))
    above = int((values > chance).sum())
    compared = f" {above} of {len(values)} lie above chance." if np.isfinite(chance) else ""
    return [
        draw(
            derivatives,
            "group_accuracies",
            lambda axes: paint_accuracies(axes, values, chance),
            width=3.9,
            height=2.55,
            alt=f"Bars of how many participants have which accuracy, from {number(values.min())} "
            f"to {number(values.max())}, median {number(float(np.median(values)))}.{compared}",
            caption=f"Accuracy of each of {count(len(values), 'participant')}.{compared}",
            sources=(table.path,),
        )
    ]


def _missing(what: str, file: str) -> Missing:
    return Missing(what=f"{what} cannot be shown", file=file, remedy="run the group level")
