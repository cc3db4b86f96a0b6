"""What the decoder said of each map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from fmridecode.report.blocks import Block, Column, Gallery, Grid, Key, Missing
from fmridecode.report.charts.probabilities import ROW_INCHES, paint_probabilities
from fmridecode.report.drawing import draw, label_inches, source
from fmridecode.report.group.doubts import called
from fmridecode.report.numbers import count, number
from fmridecode.report.participant.rows import (
    Rows,
    predictions,
    probability_columns,
    with_session,
)

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Participant


DOUBTS = {"unlike_training": "Unlike training", "disagreement": "Disagreement"}
"""Columns that say how far to trust a prediction, and their titles."""


def build(participant: Participant) -> tuple[Block, ...]:
    """Show the probabilities of the classes for each map."""
    rows = predictions(participant)
    if rows is None:
        return (
            Missing(
                what="The predictions cannot be shown",
                file=f"{participant.name}_desc-decoding_predictions.tsv",
                remedy="run the participant level for this participant",
            ),
        )
    blocks: list[Block] = [_grid(participant, rows)]
    if probability_columns(rows):
        blocks.insert(0, _gallery(participant, rows))
    return tuple(blocks)


def _gallery(participant: Participant, rows: Rows) -> Gallery:
    columns = probability_columns(rows)
    names = [name.removeprefix("prob_") for name in columns]
    values = rows.frame[columns].to_numpy(dtype=np.float64)
    truth = [called(None, label) for label in rows.frame["true_label"]]
    labels = _labels(rows)
    picture = draw(
        participant.derivatives,
        f"{participant.name}_probabilities",
        lambda axes: paint_probabilities(axes, values, truth, names, labels),
        width=3.2 + min(label_inches(labels), 1.7),
        height=0.85 + ROW_INCHES * len(truth),
        alt="Probability of the true class of each map. "
        + " ".join(
            f"{label}: {number(row[names.index(true)])}."
            for label, true, row in zip(labels, truth, values, strict=True)
            if true in names
        ),
        caption=f"Calibrated probabilities of {count(len(names), 'class', 'classes')} for "
        f"{count(len(truth), 'map')}; where another class wins, it is named.",
        sources=rows.files,
    )
    return Gallery(
        pictures=(picture,),
        smallest=380,
        legend=(
            Key(css="accent", text="true class"),
            Key(css="ring", text="each other class"),
        ),
    )


def _labels(rows: Rows) -> list[str]:
    sessions = rows.frame["session_id"] if "session_id" in rows.frame else [None] * len(rows.frame)
    own = rows.frame["data_label"] if "data_label" in rows.frame else [None] * len(rows.frame)
    return [
        with_session(called(name, label), session)
        for name, label, session in zip(own, rows.frame["true_label"], sessions, strict=True)
    ]


def _decoded(row: pd.Series[Any], *, right: bool) -> str | Markup:
    """Return what a map was taken for, and say so where the decoder does not know it."""
    predicted = str(row["predicted_label"])
    if not row.get("known", True):
        return Markup("does not know <em>(at best {})</em>").format(predicted)
    return predicted if right else Markup("<em>{}</em>").format(predicted)


def _grid(participant: Participant, rows: Rows) -> Grid:
    columns = probability_columns(rows)
    doubts = {name: title for name, title in DOUBTS.items() if name in rows.frame}
    cells = []
    for label, (_, row) in zip(_labels(rows), rows.frame.iterrows(), strict=True):
        scored = isinstance(row["true_label"], str)
        right = row["true_label"] == row["predicted_label"]
        cells.append(
            (
                label,
                _decoded(row, right=right or not scored),
                ("yes" if right else "no") if scored else "n/a",
                *(number(float(row[name])) for name in (*columns, *doubts)),
            )
        )
    return Grid(
        caption="Predictions, with the calibrated probability of every class.",
        columns=(
            Column("Class"),
            Column("Decoded as"),
            Column("Correct"),
            *(
                Column(
                    name.removeprefix("prob_"),
                    numeric=True,
                    meaning=rows.descriptions.get(name, ""),
                )
                for name in columns
            ),
            *(
                Column(title, numeric=True, meaning=rows.descriptions.get(name, ""))
                for name, title in doubts.items()
            ),
        ),
        rows=tuple(cells),
        sources=tuple(source(participant.derivatives, path) for path in rows.files),
        opened=len(cells) <= 10,
    )
