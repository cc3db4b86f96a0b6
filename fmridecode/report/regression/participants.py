"""A row for each participant: the truth and what was predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Column, Grid, Missing
from fmridecode.report.drawing import source
from fmridecode.report.group.participants import MOST_SHOWN, page_link
from fmridecode.report.numbers import count
from fmridecode.report.regression.facts import cell, participants_table, with_unit

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives

_COLUMNS = {
    "true": "True",
    "predicted": "Predicted",
    "sd": "SD",
    "error": "Error",
    "ridge_predicted": "By ridge regression",
    "training_mean": "Training mean",
    "n_maps": "Maps",
    "fold": "Fold",
}


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """List the participants."""
    table = participants_table(derivatives)
    if table is None:
        return (
            Missing(
                what="The participants cannot be listed",
                file="group_desc-regression_participants.tsv",
                remedy="run the group level",
            ),
        )
    names = [name for name in _COLUMNS if name in table.frame]
    return (
        Grid(
            caption=f"{count(len(table.frame), 'participant')}: {with_unit(derivatives)}, true "
            "and predicted.",
            columns=(
                Column("Participant"),
                *(
                    Column(_COLUMNS[n], numeric=True, meaning=table.descriptions.get(n, ""))
                    for n in names
                ),
            ),
            rows=tuple(
                (
                    page_link(derivatives, str(row["participant_id"])),
                    *(cell(float(row[name])) for name in names),
                )
                for _, row in table.frame.iterrows()
            ),
            sources=(source(derivatives, table.path),),
            opened=len(table.frame) <= MOST_SHOWN,
        ),
    )
