"""Which predictions of a number should not be taken as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from fmridecode.report.blocks import Block, Column, Grid, Prose
from fmridecode.report.group.doubts import UNLIKE, given_decoder, strange_maps, was_seen
from fmridecode.report.numbers import count, whole

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Say which decoder was given, and count what speaks against trusting a prediction."""
    frames = [
        table.frame
        for participant in derivatives.participants()
        for table in participant.number_predictions()
    ]
    if not frames:
        return (Prose(text="There are no predictions yet: run the participant level."),)
    rows = pd.concat(frames, ignore_index=True)
    maps = rows[rows["unit"] == "map"].assign(true_label=rows["label"], data_label=None)
    whole_ones = rows[rows["unit"] == "participant"]
    found = (
        (
            "Participants whose number is not known",
            int(whole_ones["true"].isna().sum()),
            "Predicted and explained, left out of all scores.",
        ),
        (
            "Participants seen in training",
            int(was_seen(whole_ones).sum()),
            "Left out of all scores; recognised by the folds’ table, by a map, or by label.",
        ),
        (
            "Maps unlike the training maps",
            int((pd.to_numeric(maps["unlike_training"], errors="coerce") > UNLIKE).sum()),
            f"In a simple statistic more than {UNLIKE:g} spreads from their median: the "
            "prediction may mean nothing.",
        ),
    )
    return (
        *given_decoder(derivatives),
        Grid(
            caption="What speaks against taking a prediction as it is, of "
            f"{count(len(whole_ones), 'participant')} and {count(len(maps), 'map')}.",
            columns=(Column("What"), Column("How many", numeric=True), Column("What it means")),
            rows=tuple((what, whole(n), meaning) for what, n, meaning in found),
        ),
        *strange_maps(derivatives, maps),
    )
