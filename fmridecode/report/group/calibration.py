"""Whether the decoder's probabilities mean what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Column, Grid, Picture
from fmridecode.report.charts.reliability import paint_reliability
from fmridecode.report.drawing import draw, source
from fmridecode.report.numbers import count, number, whole

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives

STAGES = {"uncalibrated": "before the temperature", "calibrated": "after the temperature"}


def calibration(derivatives: Derivatives) -> tuple[Block, ...]:
    """Return the scores of the probabilities before and after the temperature."""
    columns = ("log_loss", "brier_score", "ece")
    table = derivatives.table("decoding_calibration", "stage", *columns, "n_maps")
    if table is None:
        return ()
    meaning = table.descriptions.get
    return (
        Grid(
            caption="Calibration: the probabilities before and after the division of the logits "
            "by the temperature that the validation participants of each fold gave.",
            columns=(
                Column("Probabilities", meaning=meaning("stage", "")),
                Column("Log loss", numeric=True, meaning=meaning("log_loss", "")),
                Column("Brier score", numeric=True, meaning=meaning("brier_score", "")),
                Column("ECE", numeric=True, meaning=meaning("ece", "")),
                Column("Maps", numeric=True, meaning=meaning("n_maps", "")),
            ),
            rows=tuple(
                (
                    STAGES.get(str(row["stage"]), str(row["stage"])),
                    *(number(row[name], 3) for name in columns),
                    whole(row["n_maps"]),
                )
                for _, row in table.frame.iterrows()
            ),
            sources=(source(derivatives, table.path),),
        ),
    )


def reliability(derivatives: Derivatives) -> tuple[Picture, ...]:
    """Draw accuracy against confidence."""
    table = derivatives.table("decoding_reliability", "stage", "n_maps", "confidence", "accuracy")
    if table is None or table.frame.empty:
        return ()
    rows = table.frame
    last = rows[rows["stage"] == "calibrated"]
    said = " ".join(
        f"At a confidence of {number(row['confidence'])}, {number(row['accuracy'])} of "
        f"{count(row['n_maps'], 'map')} are right."
        for _, row in last.iterrows()
    )
    return (
        draw(
            derivatives,
            "group_reliability",
            lambda axes: paint_reliability(axes, rows),
            width=3.4,
            height=3.2,
            alt=f"Reliability diagram: accuracy against confidence, in bins. {said}",
            caption="Reliability diagram: accuracy against confidence in bins of "
            f"{count(last['n_maps'].sum(), 'map')}; on the dashed line probabilities mean what "
            "they say. Colour: after the temperature; grey: before. Larger points hold more maps.",
            sources=(table.path,),
        ),
    )
