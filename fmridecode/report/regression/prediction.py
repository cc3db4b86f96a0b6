"""How well the number was predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fmridecode.report.blocks import Block, Column, Gallery, Grid, Missing, Picture, Prose
from fmridecode.report.charts.prediction import MOST_BARS, paint_prediction
from fmridecode.report.drawing import draw, source
from fmridecode.report.numbers import NOTHING, count, number, p_value
from fmridecode.report.regression.facts import (
    PREDICTORS,
    TITLES,
    Score,
    participants_table,
    scores,
    scores_table,
    target_of,
    with_unit,
)

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Show predictions against the truth, and the scores."""
    table = scores_table(derivatives)
    if table is None:
        return (
            Missing(
                what="The scores cannot be shown",
                file="group_desc-regression_scores.tsv",
                remedy="run the group level; without a number in participants.tsv there are none",
            ),
        )
    found = scores(table)
    name, _ = target_of(derivatives)
    return (
        *_pictures(derivatives),
        Prose(
            text=f"R² is 1 − the sum of squared errors / that of predicting, for everyone, the "
            f"mean {name} of the participants who trained the fold’s decoder. It is below 0 where "
            "that mean predicts better. The errors are in the units of the number."
        ),
        _grid(derivatives, table, [s for s in found if s.unit == "participant"], opened=True),
        _grid(derivatives, table, [s for s in found if s.unit == "map"], opened=False),
    )


def _pictures(derivatives: Derivatives) -> tuple[Block, ...]:
    table = participants_table(derivatives)
    if table is None or table.frame.empty:
        return ()
    what = with_unit(derivatives)
    pictures = [_scatter(derivatives, table, "predicted", "sd", f"Decoder: {what}", what)]
    if "ridge_predicted" in table.frame and table.frame["ridge_predicted"].notna().all():
        pictures.append(
            _scatter(derivatives, table, "ridge_predicted", "", f"Ridge regression: {what}", what)
        )
    return (Gallery(pictures=tuple(pictures), smallest=300),)


def _scatter(
    derivatives: Derivatives, table: Table, column: str, sd: str, caption: str, what: str
) -> Picture:
    frame = table.frame
    true, predicted = (frame[name].to_numpy(dtype=np.float64) for name in ("true", column))
    spread = frame[sd].to_numpy(dtype=np.float64) if sd else np.zeros_like(true)
    bars = "; bars: the central 95 % of the predicted Gaussian" if sd else ""
    bars = bars if len(true) <= MOST_BARS else ""
    return draw(
        derivatives,
        f"group_regression_{column}",
        lambda axes: paint_prediction(axes, true, predicted, spread, what=what),
        width=3.9,
        height=3.6,
        alt=f"Scatter of predicted against true {what} of {count(len(true), 'participant')}; "
        f"predictions go from {number(predicted.min())} to {number(predicted.max())}, the truth "
        f"from {number(true.min())} to {number(true.max())}.",
        caption=f"{caption} of {count(len(true), 'participant')}, each by a decoder that had not "
        f"seen them{bars}; dashed: a perfect prediction.",
        sources=(table.path,),
    )


def _grid(derivatives: Derivatives, table: Table, rows: list[Score], *, opened: bool) -> Grid:
    """Return a row for every score, and a column for everyone who predicts."""
    of_maps = bool(rows) and rows[0].unit == "map"
    who = f"{count(rows[0].n_participants, 'participant')}" if rows else ""
    predictors = list(dict.fromkeys(each.predictor for each in rows))
    found = {(each.metric, each.predictor): each for each in rows}
    meaning = table.descriptions.get
    return Grid(
        caption=f"Scores over {count(rows[0].n_maps, 'map')} of {who}, each map alone."
        if of_maps
        else f"Scores over {who}, the mean of all maps of each, with 95 % intervals and p.",
        columns=(
            Column("Score", meaning=meaning("metric", "")),
            *(
                Column(PREDICTORS.get(each, each), meaning=meaning("predictor", ""))
                for each in predictors
            ),
        ),
        rows=tuple(
            (
                TITLES.get(metric, metric),
                *(_cell(found.get((metric, each))) for each in predictors),
            )
            for metric in dict.fromkeys(each.metric for each in rows)
        ),
        sources=(source(derivatives, table.path),),
        opened=opened,
    )


def _cell(score: Score | None) -> str:
    if score is None:
        return NOTHING
    tested = f", {p_value(score.p)}" if score.p == score.p else ""
    return f"{score.written}{tested}"
