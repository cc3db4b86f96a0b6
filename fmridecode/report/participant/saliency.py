"""The participant's saliency maps on glass brains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Gallery, Heading, Missing
from fmridecode.report.glass import glass_brain, glass_picture
from fmridecode.report.group.maps import LEGEND, READING
from fmridecode.report.participant.rows import predictions, probability_columns
from fmridecode.report.saliency import SaliencyMap, in_order
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Participant


def build(participant: Participant) -> tuple[Block, ...]:
    """Show the map of the true class by every method, for every map of the participant."""
    rows = predictions(participant)
    columns = () if rows is None else probability_columns(rows)
    classes = tuple(name.removeprefix("prob_") for name in columns)
    maps = in_order(participant.maps(), classes)
    if not maps:
        return (
            Missing(
                what="No saliency map explains a true class",
                file=f"{participant.name}/**/*_saliency.nii.gz with sidecars",
                remedy="run the participant level with --target true or all",
            ),
        )
    blocks: list[Block] = [READING]
    brain = glass_brain()
    for target in dict.fromkeys(each.target for each in maps):
        blocks += [
            Heading(text=target, note="one participant’s map"),
            Gallery(
                pictures=tuple(
                    glass_picture(
                        participant.derivatives,
                        brain,
                        each,
                        name=each.path.name.removesuffix(".nii.gz"),
                        caption=_caption(each),
                    )
                    for each in maps
                    if each.target == target
                ),
                smallest=260,
                legend=LEGEND if len(blocks) == 1 else (),
            ),
        ]
    return tuple(blocks)


def _caption(each: SaliencyMap) -> str:
    session = next((part for part in each.path.name.split("_") if part.startswith("ses-")), "")
    said = f"{method_title(each.method)} ({session})" if session else method_title(each.method)
    return f"{said}; of {each.stranger}, decoded as {each.target}" if each.stranger else said
