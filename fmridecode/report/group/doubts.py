"""Which decoder was given, and which predictions should not be taken as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from fmridecode.report.blocks import Block, Column, Grid, Prose
from fmridecode.report.drawing import source
from fmridecode.report.group.participants import page_link
from fmridecode.report.numbers import count, number, whole

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives

UNLIKE = 5.0
"""As in `fmridecode.core.typicality`, whose package pages do without."""

_COLUMNS = ("true_label", "data_label", "seen_in_training", "unlike_training", "unlike_in",
            "agreement")  # fmt: skip
_LISTED = 20


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Say which decoder was given, and count what speaks against trusting a prediction."""
    rows = every_prediction(derivatives)
    if rows.empty:
        return (Prose(text="There are no predictions yet: run the participant level."),)
    return (*given_decoder(derivatives), _counts(rows), *strange_maps(derivatives, rows))


def every_prediction(derivatives: Derivatives) -> pd.DataFrame:
    """Return the predictions of all participants; columns that a table lacks are empty."""
    frames = [
        table.frame.reindex(columns=["participant_id", *_COLUMNS])
        for participant in derivatives.participants()
        for table in participant.predictions()
        if len(table.frame)
    ]
    columns = ["participant_id", *_COLUMNS]
    if not frames:
        return pd.DataFrame(columns=columns)
    rows = [row for frame in frames for row in frame.to_dict("records")]
    return pd.DataFrame(rows, columns=columns)


def why_unscored(derivatives: Derivatives) -> str:
    """Say why there are predictions and nothing to score; empty where there is something."""
    rows = every_prediction(derivatives)
    if rows.empty or (rows["true_label"].notna() & ~was_seen(rows)).any():
        return ""
    return (
        f"None of {count(len(rows), 'map')} can be scored: the decoder does not know their class, "
        "or was trained on them. What it said of each stands on the participants’ pages; Doubts, "
        "below, counts why."
    )


def was_seen(rows: pd.DataFrame) -> pd.Series[bool]:
    """Say of each prediction whether the decoder had seen the participant."""
    return rows["seen_in_training"].astype(str).str.lower() == "true"


def given_decoder(derivatives: Derivatives) -> tuple[Block, ...]:
    """List what is recorded of a decoder that was given; nothing where one was trained."""
    said, path = derivatives.given(), derivatives.root / "models" / "given.json"
    if not said:
        return ()
    return (
        Grid(
            caption="The decoder that was given (--model); none was trained here.",
            columns=(Column("What"), Column("Which")),
            rows=tuple((title, text) for title, text in _facts(said) if text),
            sources=(source(derivatives, path, "models/given.json"),),
        ),
    )


def _facts(said: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    classes = said.get("classes")
    names = [str(each.get("name", "")) for each in classes] if isinstance(classes, list) else []
    labels = said.get("labels")
    pairs = [f"{own} = {theirs}" for own, theirs in labels.items()] if labels else []
    hashes = said.get("hashes")
    return (
        ("Model", str(said.get("model", ""))),
        ("Title", str(said.get("title", ""))),
        ("Trained on", str(said.get("dataset", ""))),
        ("Network", f"{said.get('architecture', '')}, {said.get('training', '')}"),
        ("Classes", ", ".join(names)),
        ("Grid", f"{said.get('space', '')}, res-{said.get('resolution', '')}"),
        ("Labels stated", ", ".join(pairs)),
        ("Hashes", ", ".join(map(str, hashes)) if isinstance(hashes, list) else ""),
    )


def _counts(rows: pd.DataFrame) -> Grid:
    unlike = pd.to_numeric(rows["unlike_training"], errors="coerce")
    agreement = pd.to_numeric(rows["agreement"], errors="coerce")
    found = (
        (
            "Of a class that the decoder does not know",
            int(rows["true_label"].isna().sum()),
            "Decoded and explained for the predicted class, left out of all scores.",
        ),
        (
            "Seen in training",
            int(was_seen(rows).sum()),
            "Left out of all scores; recognised by the folds’ table, by a map, or by label.",
        ),
        (
            "Unlike the training maps",
            int((unlike > UNLIKE).sum()),
            f"In a simple statistic more than {UNLIKE:g} spreads from their median: the "
            "probabilities may mean nothing.",
        ),
        (
            "Decoders of the ensemble disagree",
            int((agreement < 1).sum()),
            "At least one of them, alone, decodes the map as another class."
            if agreement.notna().any()
            else "Not known: the decoder is a single one.",
        ),
    )
    return Grid(
        caption=f"What speaks against taking a prediction as it is, of {count(len(rows), 'map')}.",
        columns=(Column("What"), Column("Maps", numeric=True), Column("What it means")),
        rows=tuple((what, whole(n), meaning) for what, n, meaning in found),
    )


def strange_maps(derivatives: Derivatives, rows: pd.DataFrame) -> tuple[Block, ...]:
    """List the maps that are farthest from the training maps; nothing where all are near."""
    unlike = pd.to_numeric(rows["unlike_training"], errors="coerce")
    far = rows.assign(distance=unlike)  # first: a frame without rows would take them from it
    found = far[far["distance"] > UNLIKE].sort_values("distance", ascending=False)
    if found.empty:
        return ()
    return (
        Grid(
            caption=f"Maps unlike the training maps, the {min(len(found), _LISTED)} farthest.",
            columns=(
                Column("Participant"),
                Column("Class"),
                Column("Statistic"),
                Column("Spreads from the median", numeric=True),
            ),
            rows=tuple(
                (
                    page_link(derivatives, str(row["participant_id"])),
                    called(row["data_label"], row["true_label"]),
                    str(row["unlike_in"]),
                    number(float(row["distance"]), 1),
                )
                for _, row in found.head(_LISTED).iterrows()
            ),
            opened=len(found) <= 10,
        ),
    )


def called(own: object, true: object) -> str:
    """Return what the data set calls a map's class.

    >>> called("hand", "motor"), called(float("nan"), "motor"), called(None, None)
    ('hand', 'motor', 'unknown')
    """
    return next((each for each in (own, true) if isinstance(each, str)), "unknown")
