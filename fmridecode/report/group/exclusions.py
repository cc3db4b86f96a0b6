"""Who was left out, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Column, Grid, Missing, Prose
from fmridecode.report.drawing import source
from fmridecode.report.numbers import count

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """List the participants and maps that were excluded."""
    table = derivatives.table("excluded_participants", "participant_id", "reason")
    if table is None:
        return (
            Missing(
                what="It is not recorded whether anyone was left out",
                file="group_desc-excluded_participants.tsv",
                remedy="run the group level",
            ),
        )
    if table.frame.empty:
        return (Prose(text="No participant was left out."),)
    return (
        Grid(
            caption=f"{count(table.frame['participant_id'].nunique(), 'participant')} left out "
            "of all that precedes.",
            columns=(Column("Participant"), Column("Reason")),
            rows=tuple(
                (str(row["participant_id"]), str(row["reason"]))
                for _, row in table.frame.iterrows()
            ),
            sources=(source(derivatives, table.path),),
        ),
    )
