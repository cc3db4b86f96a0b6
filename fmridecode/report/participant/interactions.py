"""How parcels interact in the decoder, for every map of the participant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fmridecode.report.blocks import Block, Column, Grid, Heading, Missing, Picture, Prose
from fmridecode.report.charts.interactions import interactions_picture
from fmridecode.report.drawing import source
from fmridecode.report.interactions import MapMatrix, find_matrices, plain_name, significant
from fmridecode.report.numbers import count, number
from fmridecode.report.participant.rows import with_session

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Participant

LISTED = 8
FIRST_ORDER = "Log-odds per SD, to first order."

READING = (
    "The second derivative of the class’s log-odds with respect to raising all voxels of one "
    "parcel, and all of another, by one SD of the map: positive (orange) where more activation in "
    "one makes more activation in the other speak more for the class, negative (blue) where it "
    "makes it speak less. It tells how the decoder combines parcels, not how the brain does. On "
    "the diagonal, how a parcel’s effect changes with its own activation. Parcels with more "
    "voxels have larger interactions."
)


def build(participant: Participant) -> tuple[Block, ...]:
    """Show the matrix of every map, and its strongest pairs."""
    found = find_matrices(participant.folder)
    if not found:
        return (
            Missing(
                what="How parcels interact was not asked for",
                file=f"{participant.name}/**/*_interactions.tsv",
                remedy="run the participant level again with --saliency gradient smoothgrad "
                "hessian and --atlas NAME; nothing is trained anew",
            ),
        )
    blocks: list[Block] = [Prose(text=READING), *_softened(found)]
    for each in found:
        session = next((p for p in each.path.name.split("_") if p.startswith("ses-")), None)
        blocks += [
            Heading(text=with_session(each.title, session), note=_note(each)),
            _picture(participant, each),
            _grid(participant, each),
        ]
    return tuple(blocks)


def _note(each: MapMatrix) -> str:
    n = count(len(each.matrix.names), "parcel")
    return f"{n} of {each.said.get('Atlas', 'the atlas')}"


def _softened(found: tuple[MapMatrix, ...]) -> tuple[Block, ...]:
    """Say whose curvature it is, where the decoder's own is that of kinks."""
    betas = sorted({float(each.said["SoftplusBeta"]) for each in found if _beta(each)})
    if not betas:
        return ()
    change = max(float(each.said.get("SoftplusLogitChange", np.nan)) for each in found)
    same = min(float(each.said.get("SoftplusSameClass", np.nan)) for each in found)
    alike = (
        "the same most probable class"
        if same == 1
        else f"the same most probable class for {number(100 * same, 0)} % of the maps"
    )
    return (
        Prose(
            text="The decoder’s rectified units have no curvature. These are the interactions of "
            f"a copy of it with softplus (β = {', '.join(f'{each:g}' for each in betas)}) in "
            f"their place, whose logits differ by at most {number(100 * change, 1)} % of their "
            f"range, with {alike}."
        ),
    )


def _beta(each: MapMatrix) -> bool:
    return each.said.get("SoftplusBeta") is not None


def _picture(participant: Participant, each: MapMatrix) -> Picture:
    said = " ".join(
        f"{plain_name(each.matrix.names[a])} and {plain_name(each.matrix.names[b])}: "
        f"{significant(each.matrix.values[a, b])}."
        for a, b in each.matrix.strongest(LISTED)
    )
    return interactions_picture(
        participant.derivatives,
        each.path.name.removesuffix(".tsv"),
        each.matrix,
        alt=f"{each.title}: interactions of {count(len(each.matrix.names), 'parcel')}. {said}",
        caption=f"{each.title}: interactions in log-odds per SD and SD.",
        sources=(each.path,),
    )


def _grid(participant: Participant, each: MapMatrix) -> Grid:
    effects = each.effects
    pairs = each.matrix.strongest(LISTED)
    return Grid(
        caption=f"{each.title}: the {len(pairs)} strongest interactions between parcels, and "
        "what each parcel does by itself.",
        columns=(
            Column("Parcel"),
            Column("Parcel"),
            Column(
                "Interaction", numeric=True, meaning="Log-odds per SD of the one and of the other."
            ),
            Column("Effect of the first", numeric=True, meaning=FIRST_ORDER),
            Column("of the second", numeric=True, meaning=FIRST_ORDER),
        ),
        rows=tuple(
            (
                plain_name(each.matrix.names[a]),
                plain_name(each.matrix.names[b]),
                significant(each.matrix.values[a, b]),
                significant(effects[a]),
                significant(effects[b]),
            )
            for a, b in pairs
        ),
        sources=(source(participant.derivatives, each.path),),
    )
