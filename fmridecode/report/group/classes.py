"""How well each class was decoded, and whether it could be luck."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Column, Grid, Prose
from fmridecode.report.drawing import source
from fmridecode.report.numbers import interval, number, p_value, whole

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives

_TITLES = {"precision": "Precision", "recall": "Recall", "f1": "F1", "roc_auc": "ROC AUC"}


def per_class(derivatives: Derivatives) -> tuple[Block, ...]:
    """Return the table of the classes; nothing where it was not computed."""
    bounds = [f"{name}_{end}" for name in _TITLES for end in ("low", "high")]
    table = derivatives.table("decoding_classes", "label", "n_maps", *_TITLES, *bounds)
    if table is None:
        return ()
    rows = tuple(
        (
            str(row["label"]),
            *(
                f"{number(row[name])} {interval(row[f'{name}_low'], row[f'{name}_high'])}".strip()
                for name in _TITLES
            ),
            whole(row["n_maps"]),
        )
        for _, row in table.frame.iterrows()
    )
    return (
        Grid(
            caption="Each class, with 95 % bootstrap confidence intervals over participants.",
            columns=(
                Column("Class", meaning=table.descriptions.get("label", "")),
                *(
                    Column(title, numeric=True, meaning=table.descriptions.get(name, ""))
                    for name, title in _TITLES.items()
                ),
                Column("Maps", numeric=True, meaning=table.descriptions.get("n_maps", "")),
            ),
            rows=rows,
            sources=(source(derivatives, table.path),),
        ),
    )


def permutation(derivatives: Derivatives) -> tuple[Block, ...]:
    """Say what the permutation test of the accuracy found."""
    table = derivatives.table(
        "decoding_permutation", "metric", "observed", "null_mean", "null_high", "p",
        "n_permutations",
    )  # fmt: skip
    if table is None:
        return ()
    rows = table.frame[table.frame["metric"] == "accuracy"]
    return tuple(
        Prose(
            text=f"With the true labels exchanged within participants "
            f"{whole(row['n_permutations'])} times, the accuracy was {number(row['null_mean'])} "
            f"on average and {number(row['null_high'])} at its 95th percentile; with the labels "
            f"as they are it is {number(row['observed'])} (one-sided permutation test, "
            f"{p_value(row['p'])}; {table.path.name}). The decoders’ outputs were scored anew, "
            "not trained anew."
        )
        for _, row in rows.iterrows()
    )
