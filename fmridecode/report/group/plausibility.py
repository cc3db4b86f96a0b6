"""Which maps do not lie where a brain lies, or differ from all others of their class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fmridecode.report.blocks import Block, Column, Grid, Missing, Prose
from fmridecode.report.drawing import source
from fmridecode.report.group.participants import MOST_SHOWN, page_link
from fmridecode.report.numbers import NOTHING, count, whole
from fmridecode.report.plausibility import Outlier, find_outliers, plausibility_table

if TYPE_CHECKING:
    from fmridecode.report.blocks import Source
    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table

_TITLES = {
    "coverage": "Brain mask with data (share)",
    "outside": "Data outside the brain mask (share)",
    **{
        f"cut_{side}": f"Brain without data, {side} (mm)"
        for side in ("left", "right", "posterior", "anterior", "inferior", "superior")
    },
    "sd": "Standard deviation in the brain mask",
    "zeros": "Grid without data (share)",
}


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Say what was checked, and list the outliers."""
    table = plausibility_table(derivatives)
    if table is None:
        return (
            Missing(
                what="It is not recorded whether the maps are plausible",
                file="logs/plausibility.tsv",
                remedy="run the train or participant level",
            ),
        )
    found = find_outliers(table)
    sources = (source(derivatives, table.path, "logs/plausibility.tsv"),)
    outliers = _outliers(derivatives, found, sources)
    return (Prose(text=_said(table, found)), *outliers, _checked(table, sources))


def _said(table: Table, found: tuple[Outlier, ...]) -> str:
    maps = count(table.frame["source"].nunique(), "map")
    people = count(table.frame["participant_id"].nunique(), "participant")
    checked = (
        f"Of each of {maps} of {people} it was checked how much of the brain mask has data, "
        "whether the field of view cuts the brain, how much data lie outside it, whether the "
        "header contradicts itself, and whether the standard deviation is that of its class."
    )
    if not found:
        return f"{checked} Outliers: none."
    who = count(len({each.participant for each in found}), "participant")
    return (
        f"{checked} Outliers: {whole(len({each.source for each in found}))}, of {who}. They are "
        "used like all others, unless the run was told --exclude-outliers; who was left out "
        "stands under Exclusions."
    )


def _outliers(
    derivatives: Derivatives, found: tuple[Outlier, ...], sources: tuple[Source, ...]
) -> tuple[Block, ...]:
    if not found:
        return ()
    return (
        Grid(
            caption=f"{count(len(found), 'outlier')}, and what is out of line.",
            columns=(Column("Participant"), Column("Class"), Column("File"), Column("Reason")),
            rows=tuple(
                (page_link(derivatives, each.participant), each.label, each.source, each.reasons)
                for each in found
            ),
            sources=sources,
            opened=len(found) <= MOST_SHOWN,
        ),
    )


def _checked(table: Table, sources: tuple[Source, ...]) -> Grid:
    """Show the range of every number, and from where on a map is an outlier."""
    shown = [name for name in _TITLES if name in table.frame]
    return Grid(
        caption="What was checked: numbers of all maps, and what makes an outlier.",
        columns=(
            Column("What"),
            Column("Lowest", numeric=True),
            Column("Median", numeric=True),
            Column("Highest", numeric=True),
            Column("Meaning"),
        ),
        rows=tuple(
            (_TITLES[name], *_range(table, name), table.descriptions.get(name, ""))
            for name in shown
        ),
        sources=sources,
        opened=False,
    )


def _range(table: Table, name: str) -> tuple[str, str, str]:
    values = table.frame[name].dropna().to_numpy(dtype=np.float64)
    if values.size == 0:
        return (NOTHING,) * 3
    low, middle, high = (f"{each:.3g}" for each in np.quantile(values, (0, 0.5, 1)))
    return low, middle, high
