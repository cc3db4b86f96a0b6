"""A typical participant of every class: the paper's Figure 3."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Gallery, Missing, Prose
from fmridecode.report.glass import glass_brain
from fmridecode.report.group.facts import class_names
from fmridecode.report.numbers import count, number
from fmridecode.report.panel import READING, Panel, find_panels, panel_picture
from fmridecode.report.words import main_method
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Show the panel of one participant for every class."""
    panels = [each for who in derivatives.participants() for each in find_panels(who.folder)]
    if not panels:
        return (
            Missing(
                what="No example can be shown",
                file="sub-*/**/*_panel.nii.gz",
                remedy="run the participant level for everyone, with --panels typical; or with "
                "--panels all --participant-label for people of your choice, whose pages then "
                "show every class",
            ),
        )
    names = class_names(derivatives)
    labels = dict.fromkeys([*names, *(each.label for each in panels)])
    brain = glass_brain()
    pictures = []
    for label in labels:
        of_class = [each for each in panels if each.label == label]
        if of_class:
            panel, words = _one(of_class)
            caption = f"{panel.participant}, {label}: {words}."
            pictures.append(panel_picture(derivatives, brain, panel, caption=caption))
    return (
        Prose(text=READING),
        *(Gallery(pictures=(picture,), smallest=640) for picture in pictures),
    )


def _one(panels: list[Panel]) -> tuple[Panel, str]:
    """Choose the typical one: the one marked so, or else the median of those that are there."""
    method = main_method(panels[0].methods)
    typical = [each for each in panels if each.typical]
    ranked = sorted(typical or panels, key=lambda each: (_last(each.cia(method)), each.path.name))
    panel = ranked[(len(ranked) - 1) // 2]
    by = f"CIA by {method_title(method)}, {number(panel.cia(method))}"
    if typical:
        return panel, f"{by}, is the median over participants"
    return panel, f"{by}, is the median of {count(len(panels), 'panel')}"


def _last(value: float) -> float:
    return math.inf if math.isnan(value) else value
