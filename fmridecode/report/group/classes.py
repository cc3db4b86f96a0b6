"""How well each class was decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Column, Grid
from fmridecode.report.drawing import source
from fmridecode.report.numbers import interval, number, whole

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
