"""How stable the saliency maps are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import (
    Block,
    Column,
    Gallery,
    Grid,
    Heading,
    Missing,
    Picture,
    Prose,
)
from fmridecode.report.charts.estimates import (
    Estimate,
    common_limits,
    estimates_height,
    estimates_width,
    paint_estimates,
)
from fmridecode.report.drawing import draw, source
from fmridecode.report.numbers import count, interval, number, whole
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    import pandas as pd

    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table

_MEASURES = {
    "members": (
        "Between seeds",
        "Correlation between the maps of decoders of the ensemble that differ in their seed",
    ),
    "folds": (
        "Between folds",
        "Correlation with the maps by the decoders of the other folds, which have seen the "
        "participant in training or validation",
    ),
    "sessions": (
        "Between sessions",
        "Correlation between the maps of different sessions by the same decoder",
    ),
    "sensitivity": (
        "Sensitivity to noise",
        "Largest relative change of the map under noise of at most 0.02 SD in every voxel; less "
        "is more stable",
    ),
}
_BETWEEN = {
    "participants": "with the mean of all others",
    "other-decoders": "with the mean of those by other decoders",
    "split-half": "between random halves of the participants",
    "spearman-brown": "the same, stepped up to all participants (Spearman-Brown)",
}
_EXPLANATION = Prose(
    text="The map of a participant and class is compared with what another seed, fold, session "
    "or a tiny change of the input would have made of it. Between seeds and under noise, only "
    "decoders that have not seen the participant take part. The decoders of the other folds have; "
    "they are used here to compare maps, and for no score of decoding or interpretability."
)
_GROUP = Prose(
    text="Participants of a fold share a decoder, and a decoder that is almost linear gives "
    "everyone almost the same map. So the correlation with the maps by other decoders is the one "
    "to trust; halves of the participants share all decoders, and agree the better for it. The "
    "decoders of different folds still share most of their training participants."
)


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Show stability within participants, and between them."""
    table = derivatives.table(
        "reliability_summary",
        "method", "measure", "value", "ci_low", "ci_high", "n_maps", "n_participants",
    )  # fmt: skip
    if table is None:
        return (
            Missing(
                what="How stable the maps are cannot be shown",
                file="group_desc-reliability_summary.tsv",
                remedy="run the participant level without --reliability off, then the group level",
            ),
        )
    pictures = tuple(
        _picture(derivatives, table, measure, rows)
        for measure in _MEASURES
        if len(rows := table.frame[table.frame["measure"] == measure])
    )
    return (
        _EXPLANATION,
        Gallery(pictures=pictures),
        _grid(derivatives, table),
        *_between(derivatives),
    )


def _picture(derivatives: Derivatives, table: Table, measure: str, rows: pd.DataFrame) -> Picture:
    title, words = _MEASURES[measure]
    estimates = _estimates(rows, [method_title(str(each)) for each in rows["method"]])
    return draw(
        derivatives,
        f"group_reliability_{measure}",
        lambda axes: paint_estimates(
            axes,
            estimates,
            limits=common_limits(estimates, include=0),
            axis="relative change" if measure == "sensitivity" else "correlation",
        ),
        width=estimates_width(estimates),
        height=estimates_height(estimates),
        alt=f"{title}. {words}. {_said(estimates)}",
        caption=f"{title}. {words}. Points: means; bars: 95 % bootstrap intervals over "
        f"{count(int(rows['n_participants'].max()), 'participant')} "
        f"({count(int(rows['n_maps'].max()), 'map')}).",
        sources=(table.path,),
    )


def _between(derivatives: Derivatives) -> tuple[Block, ...]:
    table = derivatives.table(
        "reliability_maps",
        "label", "method", "measure", "value", "ci_low", "ci_high", "n_participants",
    )  # fmt: skip
    if table is None or table.frame.empty:
        return ()
    rows = table.frame[table.frame["measure"] == "other-decoders"]
    if rows.empty:
        rows = table.frame[table.frame["measure"] == "participants"]
    everything = _estimates(rows, [str(each) for each in rows["label"]])
    limits = common_limits(everything, include=0)
    pictures = tuple(
        _class_picture(derivatives, table, str(method), few, limits)
        for method, few in rows.groupby("method", sort=False)
    )
    return (
        Heading(text="Between participants"),
        _GROUP,
        Gallery(pictures=pictures),
        _between_grid(derivatives, table),
    )


def _class_picture(
    derivatives: Derivatives,
    table: Table,
    method: str,
    rows: pd.DataFrame,
    limits: tuple[float, float],
) -> Picture:
    estimates = _estimates(rows, [str(each) for each in rows["label"]])
    words = _BETWEEN[str(rows["measure"].iloc[0])]
    return draw(
        derivatives,
        f"group_reliability_participants_{method}",
        lambda axes: paint_estimates(axes, estimates, limits=limits, axis="correlation"),
        width=estimates_width(estimates),
        height=estimates_height(estimates),
        alt=f"Correlation of participants' {method_title(method)} maps {words}. "
        f"{_said(estimates)}",
        caption=f"{method_title(method)}: correlation of each participant’s map {words}. Points: "
        "means; bars: 95 % bootstrap intervals over "
        f"{count(int(rows['n_participants'].max()), 'participant')}.",
        sources=(table.path,),
    )


def _estimates(rows: pd.DataFrame, labels: list[str]) -> tuple[Estimate, ...]:
    return tuple(
        Estimate(
            label=label,
            value=float(row["value"]),
            low=float(row["ci_low"]),
            high=float(row["ci_high"]),
        )
        for label, (_, row) in zip(labels, rows.iterrows(), strict=True)
    )


def _said(estimates: tuple[Estimate, ...]) -> str:
    return " ".join(
        f"{each.label} {number(each.value)} {interval(each.low, each.high)}." for each in estimates
    )


def _grid(derivatives: Derivatives, table: Table) -> Grid:
    meaning = table.descriptions.get
    return Grid(
        caption="Stability within participants, with 95 % bootstrap confidence intervals over "
        "participants.",
        columns=(
            Column("Method", meaning=meaning("method", "")),
            Column("Measure", meaning=meaning("measure", "")),
            Column("Value", numeric=True, meaning=meaning("value", "")),
            Column("95 % CI", numeric=True, meaning=meaning("ci_low", "")),
            Column("Participants", numeric=True),
            Column("Maps", numeric=True),
        ),
        rows=tuple(
            (
                method_title(str(row["method"])),
                _MEASURES[str(row["measure"])][0].lower(),
                number(row["value"], 3),
                interval(row["ci_low"], row["ci_high"], 3),
                whole(row["n_participants"]),
                whole(row["n_maps"]),
            )
            for _, row in table.frame.iterrows()
        ),
        sources=(source(derivatives, table.path),),
        opened=False,
    )


def _between_grid(derivatives: Derivatives, table: Table) -> Grid:
    meaning = table.descriptions.get
    return Grid(
        caption="Agreement between participants.",
        columns=(
            Column("Class", meaning=meaning("label", "")),
            Column("Method", meaning=meaning("method", "")),
            Column("Correlation", meaning=meaning("measure", "")),
            Column("Value", numeric=True, meaning=meaning("value", "")),
            Column("95 %", numeric=True, meaning=meaning("ci_low", "")),
            Column("Participants", numeric=True),
        ),
        rows=tuple(
            (
                str(row["label"]),
                method_title(str(row["method"])),
                _BETWEEN[str(row["measure"])],
                number(row["value"]),
                interval(row["ci_low"], row["ci_high"]),
                whole(row["n_participants"]),
            )
            for _, row in table.frame.iterrows()
        ),
        sources=(source(derivatives, table.path),),
        opened=False,
    )
