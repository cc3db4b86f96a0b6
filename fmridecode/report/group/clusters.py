"""Tables of the peaks of the group maps, folded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Column, Grid, Heading
from fmridecode.report.drawing import source
from fmridecode.report.numbers import NOTHING, count, number, p_value, whole
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    import pandas as pd

    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.saliency import SaliencyMap
    from fmridecode.report.table import Table

MOST = 10
"""Clusters of a map that are shown; the table has all."""

_COLUMNS = ("map", "basis", "cluster", "x", "y", "z", "value", "p_fwe", "size_mm3", "region")


def cluster_grids(derivatives: Derivatives, maps: tuple[SaliencyMap, ...]) -> tuple[Block, ...]:
    """Return a folded table of the strongest clusters of every map."""
    table = derivatives.table("clusters_peaks", *_COLUMNS)
    if table is None:
        return ()
    grids = [
        _grid(derivatives, table, each, rows)
        for each in maps
        if len(rows := table.frame[table.frame["map"] == each.path.name])
    ]
    return (Heading(text="Clusters and peaks", note="mm; x to the right"), *grids) if grids else ()


def _grid(
    derivatives: Derivatives, table: Table, saliency: SaliencyMap, rows: pd.DataFrame
) -> Grid:
    firsts = rows[rows["size_mm3"].notna()]
    shown = firsts.reindex(firsts["value"].abs().sort_values(ascending=False).index)[:MOST]
    what = f"{saliency.target}, {method_title(saliency.method)}"
    if (rows["basis"] == "fwe").all():
        value = "t"
        caption = f"{what}: {count(len(firsts), 'cluster')} of voxels with a corrected p < 0.05"
        caption += f"; the {MOST} strongest." if len(firsts) > MOST else "."
    else:
        value = "mean"
        caption = (
            f"{what}: no cluster survives or none was tested. These are the strongest peaks of "
            "the mean map, uncorrected: no finding."
        )
    named = bool(rows["region"].notna().any())
    meaning = table.descriptions.get
    return Grid(
        caption=caption,
        columns=(
            *((Column("Region", meaning=meaning("region", "")),) if named else ()),
            Column("x, y, z", numeric=named),
            Column(value, numeric=True, meaning=meaning("value", "")),
            Column("p, corrected", numeric=True, meaning=meaning("p_fwe", "")),
            Column("mm³", numeric=True, meaning=meaning("size_mm3", "")),
        ),
        rows=tuple(
            (
                *((_region(row["region"]),) if named else ()),
                ", ".join(number(row[axis], 0) for axis in "xyz"),
                number(row["value"]),
                p_value(row["p_fwe"], symbol=False),
                whole(row["size_mm3"]),
            )
            for _, row in shown.iterrows()
        ),
        sources=(source(derivatives, table.path), source(derivatives, saliency.path, "NIfTI")),
        opened=False,
    )


def _region(name: object) -> str:
    return name if isinstance(name, str) else NOTHING
