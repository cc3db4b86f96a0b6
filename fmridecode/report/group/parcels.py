"""Mean saliency in the parcels of an atlas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Column, Gallery, Grid, Heading, Key, Picture
from fmridecode.report.charts.estimates import (
    Estimate,
    common_limits,
    estimates_height,
    estimates_width,
    paint_estimates,
)
from fmridecode.report.drawing import draw, source
from fmridecode.report.numbers import count, interval, number, p_value, whole
from fmridecode.report.words import main_method
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    import pandas as pd

    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.saliency import SaliencyMap
    from fmridecode.report.table import Table

DRAWN = 8
LISTED = 20

_COLUMNS = (
    "label", "target", "method", "parcel", "index", "n_voxels", "mean", "ci_low", "ci_high", "t",
    "df", "p", "q", "n_participants",
)  # fmt: skip


def parcel_blocks(derivatives: Derivatives, maps: tuple[SaliencyMap, ...]) -> tuple[Block, ...]:
    """Return charts of the strongest parcels by the main method, and folded tables."""
    table = derivatives.table("parcels_saliency", *_COLUMNS)
    if table is None or table.frame.empty:
        return ()
    single = derivatives.table("parcels_participants", "participant_id", "label", "method")
    main = main_method([each.method for each in maps])
    chosen = [
        (each, rows.reindex(rows["mean"].abs().sort_values(ascending=False).index))
        for each in maps
        if each.method == main and len(rows := _rows(table.frame, each))
    ]
    if not chosen:
        return ()
    n_parcels = table.frame["index"].nunique()
    heading = Heading(
        text="Parcels", note=f"{count(n_parcels, 'parcel')}, {method_title(main)} maps"
    )
    pictures = tuple(_picture(derivatives, table, single, *each) for each in chosen)
    gallery = Gallery(
        pictures=pictures,
        smallest=380,
        legend=(
            Key(css="accent", text="mean and 95 % confidence interval over participants"),
            Key(css="faint", text="one participant"),
        ),
    )
    return (heading, gallery, *(_grid(derivatives, table, *each) for each in chosen))


def _rows(frame: pd.DataFrame, saliency: SaliencyMap) -> pd.DataFrame:
    return frame[
        (frame["label"] == saliency.target)
        & (frame["target"] == saliency.target)
        & (frame["method"] == saliency.method)
    ]


def _picture(
    derivatives: Derivatives,
    table: Table,
    single: Table | None,
    saliency: SaliencyMap,
    rows: pd.DataFrame,
) -> Picture:
    own = None if single is None else _rows(single.frame, saliency)
    estimates = tuple(
        Estimate(
            label=str(row["parcel"]),
            value=float(row["mean"]),
            low=float(row["ci_low"]),
            high=float(row["ci_high"]),
            single=()
            if own is None or (name := f"parcel_{row['index']}") not in own
            else tuple(own[name]),
        )
        for _, row in rows[:DRAWN].sort_values("mean", ascending=False).iterrows()
    )
    said = " ".join(
        f"{each.label} {number(each.value)} {interval(each.low, each.high)}." for each in estimates
    )
    files = (table.path,) if single is None else (table.path, single.path)
    return draw(
        derivatives,
        f"group_parcels_{saliency.target}",
        lambda axes: paint_estimates(
            axes, estimates, limits=common_limits(estimates, include=0.0), reference=(0.0, "0"),
            axis="mean saliency (root mean square of a map is 1)",
        ),
        width=estimates_width(estimates) + 0.6,
        height=estimates_height(estimates),
        alt=f"{saliency.target}: mean saliency in the {len(estimates)} strongest parcels. {said}",
        caption=f"{saliency.target}: the {len(estimates)} parcels with the strongest mean, "
        f"n = {whole(rows['n_participants'].max())} participants.",
        sources=files,
    )  # fmt: skip


def _grid(
    derivatives: Derivatives, table: Table, saliency: SaliencyMap, rows: pd.DataFrame
) -> Grid:
    meaning = table.descriptions.get
    survive = int((rows["q"] < 0.05).sum())
    return Grid(
        caption=f"{saliency.target}, {method_title(saliency.method)}: {whole(survive)} of "
        f"{count(len(rows), 'parcel')} with q < 0.05; the {min(LISTED, len(rows))} with the "
        "strongest mean. One-sample t over participants, two-sided; q controls the false "
        "discovery rate over parcels, under the same doubts about independence as above.",
        columns=(
            Column("Parcel", meaning=meaning("parcel", "")),
            Column("Voxels", numeric=True),
            Column("Mean", numeric=True, meaning=meaning("mean", "")),
            Column("95 % CI", numeric=True, meaning=meaning("ci_low", "")),
            Column("t (df)", numeric=True, meaning=meaning("t", "")),
            Column("q", numeric=True, meaning=meaning("q", "")),
        ),
        rows=tuple(
            (
                str(row["parcel"]),
                whole(row["n_voxels"]),
                number(row["mean"]),
                interval(row["ci_low"], row["ci_high"]),
                f"{number(row['t'], 1)} ({whole(row['df'])})",
                p_value(row["q"], symbol=False),
            )
            for _, row in rows[:LISTED].iterrows()
        ),
        sources=(source(derivatives, table.path),),
        opened=False,
    )
