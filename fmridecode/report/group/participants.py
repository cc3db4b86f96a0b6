"""A row for each participant, with a link to the participant's own page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from fmridecode.report.blocks import Block, Column, Grid, Missing
from fmridecode.report.drawing import source
from fmridecode.report.group.alignment import CRITERIA, participants_table
from fmridecode.report.numbers import count, number, whole
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives

MOST_SHOWN = 12


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """List the participants with accuracy and scores."""
    table = participants_table(derivatives)
    if table is None:
        return (
            Missing(
                what="The participants cannot be listed",
                file="group_desc-participants_summary.tsv",
                remedy="run the group level",
            ),
        )
    scored = [
        name for name in table.frame.columns if name.partition("_")[0] in CRITERIA and "_" in name
    ]
    rows = tuple(
        (
            page_link(derivatives, str(row["participant_id"])),
            whole(float(row["n_maps"])),
            number(float(row["accuracy"])),
            *(number(float(row[name]), 3) for name in scored),
        )
        for _, row in table.frame.iterrows()
    )
    return (
        Grid(
            caption=f"{count(len(rows), 'participant')}: maps, accuracy, and mean CIA and CAD of "
            "each saliency method over the participant’s maps.",
            columns=(
                Column("Participant"),
                Column("Maps", numeric=True, meaning=table.descriptions.get("n_maps", "")),
                Column("Accuracy", numeric=True, meaning=table.descriptions.get("accuracy", "")),
                *(
                    Column(_heading(name), numeric=True, meaning=table.descriptions.get(name, ""))
                    for name in scored
                ),
            ),
            rows=rows,
            sources=(source(derivatives, table.path),),
            opened=len(rows) <= MOST_SHOWN,
        ),
    )


def _heading(column: str) -> str:
    criterion, _, method = column.partition("_")
    return f"{criterion}, {method_title(method)}"


def page_link(derivatives: Derivatives, participant: str) -> str:
    """Return the participant's name, as a link to the page where there is one."""
    name = f"sub-{participant.removeprefix('sub-')}"
    if (derivatives.root / name).is_dir():
        href = derivatives.link(derivatives.root / f"{name}.html")
        return Markup('<a href="{}">{}</a>').format(href, name)
    return name
