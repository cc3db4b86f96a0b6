"""The sections of one participant's page where a number was decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from fmridecode.report.blocks import (
    Block,
    Column,
    Fact,
    Facts,
    Gallery,
    Grid,
    Heading,
    Missing,
    Prose,
)
from fmridecode.report.drawing import source
from fmridecode.report.glass import GlassBrain, glass_picture
from fmridecode.report.group.maps import READING
from fmridecode.report.numbers import count
from fmridecode.report.regression.facts import cell, with_unit
from fmridecode.report.regression.maps import LEGEND
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Participant
    from fmridecode.report.saliency import SaliencyMap


_COLUMNS = {
    "session_id": "Session",
    "predicted": "Predicted",
    "sd": "SD",
    "error": "Error",
    "disagreement": "Between decoders",
    "unlike_training": "Unlike training",
}


def summary(participant: Participant) -> tuple[Block, ...]:
    """Say what was predicted."""
    frame = _frame(participant)
    whole = frame[frame["unit"] == "participant"].iloc[0]
    what, n_maps = with_unit(participant.derivatives), int((frame["unit"] == "map").sum())
    known = pd.notna(whole["true"])
    facts = [
        Fact(
            value=f"{cell(float(whole['predicted']))} ± {cell(float(whole['sd']))}",
            label=f"predicted {what}",
            note="mean and SD",
        ),
    ]
    if known:
        facts.append(Fact(value=cell(float(whole["true"])), label=f"true {what}"))
    facts.append(
        Fact(
            value=cell(float(whole["training_mean"])),
            label="mean of the training participants",
            note=f"SD {cell(float(whole['training_sd']))}",
        )
    )
    return (
        Facts(facts=tuple(facts)),
        Prose(
            text=f"{participant.name} has {count(n_maps, 'map')}. The prediction is the mean of "
            "those of the maps" + ("." if known else "; the true number is not known.")
        ),
        Prose(
            text="The decoder was trained or validated on this participant, so the prediction is "
            "no test of it."
            if bool(whole["seen_in_training"])
            else "The decoder has seen no map of this participant in training or validation."
        ),
    )


def predictions(participant: Participant) -> tuple[Block, ...]:
    """List what each map gives."""
    tables, frame = participant.number_predictions(), _frame(participant)
    columns = {
        name: title
        for name, title in _COLUMNS.items()
        if name not in ("session_id", "disagreement") or frame[name].notna().any()
    }
    meanings = tables[0].descriptions
    return (
        Grid(
            caption=f"{with_unit(participant.derivatives)}, from all maps and from each.",
            columns=(
                Column("Map"),
                *(
                    Column(title, numeric=name != "session_id", meaning=meanings.get(name, ""))
                    for name, title in columns.items()
                ),
            ),
            rows=tuple(
                (
                    "all maps" if row["unit"] == "participant" else str(row["label"]),
                    *(_written(row[name]) for name in columns),
                )
                for _, row in frame.iterrows()
            ),
            sources=tuple(source(participant.derivatives, each.path) for each in tables),
        ),
    )


def _written(value: object) -> str:
    return value if isinstance(value, str) else cell(float(str(value)))


def maps(participant: Participant) -> tuple[Block, ...]:
    """Show the saliency of every map by every method."""
    found = participant.number_maps()
    if not found:
        return (
            Missing(
                what="There is no saliency map",
                file=f"{participant.name}/**/*_saliency.nii.gz with sidecars",
                remedy="run the participant level",
            ),
        )
    blocks: list[Block] = [READING]
    brain = GlassBrain()
    for shown in dict.fromkeys(map(_of, found)):
        blocks += [
            Heading(text=shown),
            Gallery(
                pictures=tuple(
                    glass_picture(
                        participant.derivatives,
                        brain,
                        each,
                        name=each.path.name.removesuffix(".nii.gz"),
                        caption=f"{method_title(each.method)}, in {each.sidecar.get('Units', '')}",
                    )
                    for each in found
                    if _of(each) == shown
                ),
                smallest=260,
                legend=LEGEND if len(blocks) == 1 else (),
            ),
        ]
    return tuple(blocks)


def _of(each: SaliencyMap) -> str:
    """Name the map that was explained, by what its file says."""
    said = dict(part.split("-", 1) for part in each.path.name.split("_") if "-" in part)
    return ", ".join(f"{key} {said[key]}" for key in ("ses", "task", "contrast") if key in said)


def _frame(participant: Participant) -> pd.DataFrame:
    return pd.concat([each.frame for each in participant.number_predictions()])
