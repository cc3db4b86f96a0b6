"""The participant's maps of every class, and the activation that they should resemble."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Gallery, Missing, Prose
from fmridecode.report.glass import glass_brain
from fmridecode.report.panel import READING, find_panels, panel_picture
from fmridecode.report.participant.rows import with_session

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Participant


def build(participant: Participant) -> tuple[Block, ...]:
    """Show the panels that were kept."""
    panels = find_panels(participant.folder)
    if not panels:
        return (
            Missing(
                what="The maps of every class are not kept",
                file=f"{participant.name}/**/*_panel.nii.gz",
                remedy="run the participant level again with --panels all --participant-label "
                f"{participant.label}; nothing is trained anew",
            ),
        )
    brain = glass_brain()
    pictures = [
        panel_picture(
            participant.derivatives, brain, each,
            caption=f"Map of class {with_session(each.label, _session(each.path.name))}.",
        )
        for each in panels
    ]  # fmt: skip
    return (
        Prose(text=READING),
        *(Gallery(pictures=(picture,), smallest=640) for picture in pictures),
    )


def _session(name: str) -> str | None:
    return next((part for part in name.split("_") if part.startswith("ses-")), None)
