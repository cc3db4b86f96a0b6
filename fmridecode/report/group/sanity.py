"""Whether the saliency maps would survive random weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Column, Gallery, Grid, Key, Missing, Picture, Prose
from fmridecode.report.charts.sanity import paint_sanity
from fmridecode.report.drawing import draw, source
from fmridecode.report.numbers import count, enumeration, interval, number, whole
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    import pandas as pd

    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table

THRESHOLD = 0.5
"""The mark of the group level; a test holds the two together."""

_EXPLANATION = Prose(
    text="The weights of the decoder are replaced by random ones, the layer of the logits first, "
    "then one earlier layer after the other (Adebayo et al., 2018), and each map is compared with "
    "the map that the trained decoder gives: by the Spearman correlation over voxels, of the "
    "signed values and of their magnitudes, and by structural similarity in three dimensions "
    "(Wang et al., 2004, without the luminance term). A map that stays alike shows the input or "
    f"the architecture, not what was learnt. Above {number(THRESHOLD, 1)} in magnitude with all "
    "weights random, a method is marked."
)
_SIMILARITIES = {
    "rank_correlation": "rank correlation",
    "rank_correlation_absolute": "rank correlation of magnitudes",
    "ssim": "structural similarity",
}
_LEGEND = (
    Key(css="accent line", text="rank correlation"),
    Key(css="soft line", text="rank correlation of magnitudes"),
    Key(css="faint line", text="structural similarity"),
)
_COLUMNS = ("method", "randomised", "depth", "n_layers", "layer", "similarity", "value", "ci_low",
            "ci_high", "magnitude", "survives", "n_maps", "n_draws", "n_participants")  # fmt: skip


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Show how alike the maps of every method stay, and mark those that do."""
    table = derivatives.table("sanity_summary", *_COLUMNS)
    if table is None:
        return (
            Missing(
                what="Whether maps survive random weights cannot be shown",
                file="group_desc-sanity_summary.tsv",
                remedy="run the participant level without --sanity off, then the group level (a "
                "decoder by correlation has no weights that could be random)",
            ),
        )
    weights = table.frame[table.frame["randomised"] == "weights"]
    values = table.frame[["ci_low", "ci_high"]].to_numpy(dtype=float)
    low = min(0.0, float(values.min()))
    pictures = tuple(
        _picture(derivatives, table, str(method), rows, (low - 0.06, 1.06))
        for method, rows in weights.groupby("method", sort=False)
    )
    return (
        _EXPLANATION,
        Prose(text=_verdict(table.frame)),
        Gallery(pictures=pictures, smallest=270, legend=_LEGEND),
        _grid(derivatives, table),
    )


def _verdict(frame: pd.DataFrame) -> str:
    """Say which methods are marked, by what, over how many participants."""
    final = frame[frame["survives"].notna()]
    marked = final[final["survives"].astype(str).str.lower() == "true"]
    n = count(int(final["n_participants"].max()), "participant")
    if marked.empty:
        return (
            "No method is marked: with all weights random, the mean magnitude of both rank "
            f"correlations is at most {number(final['magnitude'].max())} (n = {n})."
        )
    said = []
    for method, rows in marked.groupby("method", sort=False):
        found = [
            f"{_SIMILARITIES[str(row['similarity'])]} {number(row['magnitude'])}"
            + (" to a decoder of permuted labels" if row["randomised"] == "labels" else "")
            for _, row in rows.iterrows()
        ]
        said.append(f"{method_title(str(method))} ({enumeration(found)})")
    others = [
        method_title(str(each))
        for each in final["method"].unique()
        if each not in set(marked["method"])
    ]
    rest = f" Not marked: {enumeration(others)}." if others else ""
    return (
        f"Marked as not depending on what was learnt: {enumeration(said)}; means of the "
        f"magnitude, n = {n}. Where only magnitudes survive, the map’s sign depends on the "
        f"decoder, and which voxels are large does not.{rest}"
    )


def _picture(
    derivatives: Derivatives,
    table: Table,
    method: str,
    rows: pd.DataFrame,
    limits: tuple[float, float],
) -> Picture:
    last = rows[rows["depth"] == rows["n_layers"]]
    said = " ".join(
        f"{_SIMILARITIES[str(row['similarity'])].capitalize()} {number(row['value'])} "
        f"{interval(row['ci_low'], row['ci_high'])}."
        for _, row in last.iterrows()
    )
    return draw(
        derivatives,
        f"group_sanity_{method}",
        lambda axes: paint_sanity(axes, rows, limits=limits, threshold=THRESHOLD),
        width=2.9,
        height=2.5,
        alt=f"Similarity of {method_title(method)} maps with the decoder's own, against the "
        f"layers that are random. With all random: {said}",
        caption=f"{method_title(method)}: similarity with the decoder’s own map as layers become "
        f"random from the left to the right. Means over "
        f"{count(int(rows['n_participants'].max()), 'participant')} "
        f"({count(int(rows['n_maps'].max()), 'map')}); vertical bars: 95 % bootstrap intervals; "
        f"dashed: the mark.",
        sources=(table.path,),
    )


def _grid(derivatives: Derivatives, table: Table) -> Grid:
    meaning = table.descriptions.get
    rows = tuple(
        (
            method_title(str(row["method"])),
            _what(row),
            _SIMILARITIES.get(str(row["similarity"]), str(row["similarity"])),
            number(row["value"]),
            interval(row["ci_low"], row["ci_high"]),
            number(row["magnitude"]),
            {"true": "yes", "false": "no"}.get(str(row["survives"]).lower(), "–"),
            whole(row["n_participants"]),
            whole(row["n_maps"]),
        )
        for _, row in table.frame.iterrows()
    )
    return Grid(
        caption="Similarity of maps with those of randomised decoders, with 95 % bootstrap "
        "confidence intervals over participants.",
        columns=(
            Column("Method", meaning=meaning("method", "")),
            Column("Randomised", meaning=meaning("randomised", "")),
            Column("Similarity", meaning=meaning("similarity", "")),
            Column("Mean", numeric=True, meaning=meaning("value", "")),
            Column("95 % CI", numeric=True, meaning=meaning("ci_low", "")),
            Column("Magnitude", numeric=True, meaning=meaning("magnitude", "")),
            Column("Marked", meaning=meaning("survives", "")),
            Column("Participants", numeric=True),
            Column("Maps", numeric=True),
        ),
        rows=rows,
        sources=(source(derivatives, table.path),),
        opened=False,
    )


def _what(row: pd.Series) -> str:
    if row["randomised"] == "labels":
        return "labels, in training"
    depth, n_layers = whole(row["depth"]), whole(row["n_layers"])
    return f"{depth} of {n_layers} layers, down to {row['layer']}"
