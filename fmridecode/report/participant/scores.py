"""CIA and CAD of the participant's maps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from fmridecode.report.blocks import Block, Column, Grid, Missing, Prose
from fmridecode.report.drawing import source
from fmridecode.report.numbers import NOTHING, number, whole
from fmridecode.report.participant.rows import Rows, scores, with_session
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Participant

CRITERIA = ("CIA", "CAD")


def build(participant: Participant) -> tuple[Block, ...]:
    """Show the scores of each map by each method."""
    rows = scores(participant)
    if rows is None:
        return (
            Missing(
                what="CIA and CAD cannot be shown",
                file=f"{participant.name}_desc-interpretability_scores.tsv",
                remedy="run the participant level; a participant needs maps of two classes",
            ),
        )
    return (
        Prose(
            text="Signed Pearson correlations with the participant’s own activation: CIA of the "
            "true class’s map with the class’s activation minus the mean over classes; CAD of "
            "the other classes’ maps with the differences of activation, averaged over the other "
            "classes."
        ),
        _grid(participant, rows),
    )


def _grid(participant: Participant, rows: Rows) -> Grid:
    frame = rows.frame.copy()
    sessions = frame["session_id"] if "session_id" in frame else [None] * len(frame)
    frame["map"] = [
        with_session(str(label), session)
        for label, session in zip(frame["label"], sessions, strict=True)
    ]
    means = frame.groupby(["map", "method", "criterion"], sort=False)["pearson_r"].mean()
    maps = list(dict.fromkeys(frame["map"]))
    methods = list(dict.fromkeys(frame["method"]))
    body = [
        (name, method_title(method), *(_cell(means, name, method, each) for each in CRITERIA))
        for name in maps
        for method in methods
    ]
    return Grid(
        caption=f"CIA and CAD of each map by each saliency method{_basis(frame)}.",
        columns=(
            Column("Map"),
            Column("Method"),
            *(Column(each, numeric=True) for each in CRITERIA),
        ),
        rows=tuple(body),
        sources=tuple(source(participant.derivatives, path) for path in rows.files),
        opened=len(body) <= 24,
    )


def _cell(means: pd.Series[float], name: str, method: str, criterion: str) -> str:
    key = (name, method, criterion)
    return number(float(means.loc[key]), 3) if key in means.index else NOTHING


def _basis(frame: pd.DataFrame) -> str:
    parts = []
    if "n_voxels" in frame and frame["n_voxels"].notna().any():
        parts.append(f"{whole(float(frame['n_voxels'].max()))} voxels")
    if "n_classes" in frame and frame["n_classes"].notna().any():
        parts.append(f"{whole(float(frame['n_classes'].max()))} classes")
    return f", over {' and '.join(parts)}" if parts else ""
