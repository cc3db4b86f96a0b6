"""Whether the decoders converged, and whether training and test were kept apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import (
    Block,
    Column,
    Gallery,
    Grid,
    Heading,
    Key,
    Missing,
    Picture,
    Prose,
)
from fmridecode.report.charts.curves import paint_curves
from fmridecode.report.drawing import draw, source
from fmridecode.report.group.facts import unseen
from fmridecode.report.numbers import NOTHING, count, number, whole

if TYPE_CHECKING:
    import pandas as pd

    from fmridecode.report.derivatives import Derivatives, Model
    from fmridecode.report.table import Table

ROLES = ("train", "validation", "test")


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Show who trained and who tested each fold, and the losses on the way."""
    blocks: list[Block] = [_honesty(derivatives)]
    models = derivatives.models()
    if not models:
        blocks.append(
            Missing(
                what="No decoder was trained here",
                file="models/<name>/",
                remedy="nothing, if decoders were given with --model; else run the train level",
            )
        )
    for model in models:
        if len(models) > 1:
            blocks.append(Heading(text=model.name))
        blocks += _model(derivatives, model)
    return tuple(blocks)


def _honesty(derivatives: Derivatives) -> Prose:
    found = unseen(derivatives)
    if found.n_predictions == 0:
        return Prose(
            text="No prediction says whether its decoder had seen the participant, so nothing can "
            "be claimed of participants it never saw."
        )
    return Prose(
        text=f"The predictions’ column seen_in_training is false in "
        f"{whole(found.n_predictions - found.n_seen)} of "
        f"{count(found.n_predictions, 'prediction')}."
    )


def _model(derivatives: Derivatives, model: Model) -> list[Block]:
    blocks: list[Block] = []
    if model.folds is not None:
        blocks += [_overlap(model.folds.frame)]
    if model.training is None or not {"train_loss", "validation_loss"} <= set(
        model.training.frame.columns
    ):
        blocks.append(
            Missing(
                what="Training curves cannot be shown",
                file=f"models/{model.name}/training.tsv",
                remedy="run the train level",
            )
        )
    else:
        blocks.append(_curves(derivatives, model, model.training))
    tables = [table for table in (model.folds, model.training) if table is not None]
    if tables:
        blocks.append(_folds_grid(derivatives, model, tables))
    return blocks


def _overlap(folds: pd.DataFrame) -> Prose:
    members = {
        (str(fold), str(role)): set(rows["participant_id"])
        for (fold, role), rows in folds.groupby(["fold", "role"])
    }
    names = list(dict.fromkeys(folds["fold"]))
    shared = [
        fold
        for fold in names
        if members.get((fold, "test"), set())
        & (members.get((fold, "train"), set()) | members.get((fold, "validation"), set()))
    ]
    if shared:
        return Prose(
            text=f"In fold {', '.join(shared)} participants of the test set also trained or "
            "validated: these results are not out of sample."
        )
    return Prose(
        text=f"In none of {count(len(names), 'fold')} is a participant of the test set also in "
        "the training or validation set, as listed in the folds’ table."
    )


def _curves(derivatives: Derivatives, model: Model, table: Table) -> Gallery:
    losses = table.frame[["train_loss", "validation_loss"]]
    low, high = float(losses.min().min()), float(losses.quantile(0.99).max())
    margin = 0.06 * (high - low) or 0.1
    least = low - margin if low < 0 else max(0, low - margin)
    folds = list(dict.fromkeys(table.frame["fold"]))
    return Gallery(
        pictures=tuple(
            _curve(derivatives, model, table, fold, limits=(least, high + margin))
            for fold in folds
        ),
        smallest=160,
        legend=(
            Key(css="accent line", text="validation loss"),
            Key(css="faint line", text="training loss, under the training’s noise"),
            Key(css="accent", text="epoch that was kept"),
        ),
    )


def _curve(
    derivatives: Derivatives, model: Model, table: Table, fold: str, *, limits: tuple[float, float]
) -> Picture:
    rows = table.frame[table.frame["fold"] == fold]
    sizes = _sizes(model, fold)
    caption = f"{sizes['train']} train, {sizes['validation']} validate." if sizes else ""
    return draw(
        derivatives,
        f"group_training_{model.name}_fold-{fold}",
        lambda axes: paint_curves(axes, rows, limits=limits, title=f"Fold {fold}"),
        width=2.05,
        height=1.75,
        alt=f"Training curves of fold {fold}: the validation loss goes from "
        f"{number(float(rows['validation_loss'].iloc[0]))} to "
        f"{number(float(rows['validation_loss'].iloc[-1]))} over "
        f"{count(rows['epoch'].nunique(), 'epoch')}, its minimum is "
        f"{number(float(rows['validation_loss'].min()))}.",
        caption=caption,
        sources=(table.path,),
    )


def _sizes(model: Model, fold: str) -> dict[str, int]:
    if model.folds is None:
        return {}
    rows = model.folds.frame[model.folds.frame["fold"] == fold]
    return {role: int((rows["role"] == role).sum()) for role in ROLES}


def _folds_grid(derivatives: Derivatives, model: Model, tables: list[Table]) -> Grid:
    names = list(dict.fromkeys(fold for table in tables for fold in table.frame["fold"]))
    of_number = any("validation_r2" in table.frame for table in tables)
    score = "R²" if of_number else "accuracy"
    return Grid(
        caption="Folds: participants who trained, chose the epoch and the calibration, and were "
        f"tested; the kept epoch, and its {score} on validation maps, clean and under attack.",
        columns=(
            Column("Fold"),
            Column("Train", numeric=True),
            Column("Validation", numeric=True),
            Column("Test", numeric=True),
            Column("Kept epoch", numeric=True),
            Column(score[0].upper() + score[1:], numeric=True),
            Column("Under attack", numeric=True),
        ),
        rows=tuple(
            (fold, *_size_cells(model, fold), *_kept_cells(model.training, fold)) for fold in names
        ),
        sources=tuple(source(derivatives, table.path) for table in tables),
        opened=len(names) <= 10,
    )


def _size_cells(model: Model, fold: str) -> tuple[str, ...]:
    sizes = _sizes(model, fold)
    return tuple(whole(sizes[role]) if sizes else NOTHING for role in ROLES)


def _kept_cells(training: Table | None, fold: str) -> tuple[str, ...]:
    """Return epoch, score and score under attack that were kept (means over an ensemble)."""
    if training is None or "selected" not in training.frame:
        return (NOTHING,) * 3
    rows = training.frame[
        (training.frame["fold"] == fold) & training.frame["selected"].astype(bool)
    ]
    if rows.empty:
        return (NOTHING,) * 3
    score = "r2" if "validation_r2" in rows else "accuracy"
    scores = tuple(
        number(float(rows[name].mean())) if name in rows else NOTHING
        for name in (f"validation_{score}", f"robust_{score}")
    )
    return (", ".join(whole(epoch + 1) for epoch in rows["epoch"]), *scores)
