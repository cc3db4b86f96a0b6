"""The mean saliency maps of the group on glass brains."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from fmridecode.report.blocks import Block, Gallery, Heading, Key, Missing, Prose, Source
from fmridecode.report.glass import PERCENTILE, glass_brain, glass_picture
from fmridecode.report.group.facts import class_names
from fmridecode.report.numbers import count
from fmridecode.report.saliency import SaliencyMap, in_order
from fmridecode.report.viewer import Background, find_background, write_viewer
from fmridecode.report.words import main_method
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from pathlib import Path

    from fmridecode.report.derivatives import Derivatives

LEGEND = (
    Key(css="positive", text="raises the probability of the class"),
    Key(css="negative", text="lowers it"),
)
READING = Prose(
    text="Each brain is seen from the left, from above and from the right; a point shows the "
    "value of largest size along the line of sight, with its sign. Colours saturate at the "
    f"{PERCENTILE:.0f}th percentile of the absolute values of each map, written beside it, so "
    "compare patterns, not strengths, between maps."
)


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Show the mean map of every class by every method."""
    maps = in_order(derivatives.group_maps(), class_names(derivatives))
    if not maps:
        return (
            Missing(
                what="The mean saliency maps cannot be shown",
                file="group_*_saliency.nii.gz with sidecars",
                remedy="run the group level, with --target true or all",
            ),
        )
    blocks: list[Block] = [
        Prose(text="Mean over participants of the maps that explain the true class."),
        READING,
    ]
    main = main_method([each.method for each in maps])
    background = find_background(derivatives, maps[0].path)
    viewers = {
        each.path: write_viewer(
            derivatives,
            background,
            each,
            title=f"Mean {method_title(each.method)} saliency for {each.target}",
        )
        for each in maps
        if each.method == main
    }
    blocks.append(_slices(main, viewers, background, maps))
    brain = glass_brain()
    for target in dict.fromkeys(each.target for each in maps):
        chosen = [each for each in maps if each.target == target]
        blocks += [
            Heading(text=target, note=_sizes(chosen)),
            Gallery(
                pictures=tuple(
                    glass_picture(
                        derivatives,
                        brain,
                        each,
                        name=each.path.name.removesuffix(".nii.gz"),
                        caption=method_title(each.method),
                        more=(viewers[each.path],) if each.path in viewers else (),
                    )
                    for each in chosen
                ),
                smallest=260,
                legend=LEGEND if target == maps[0].target else (),
            ),
        ]
    return tuple(blocks)


def _slices(
    main: str,
    viewers: dict[Path, Source],
    background: Background,
    maps: tuple[SaliencyMap, ...],
) -> Prose:
    """Link the interactive slices of every class."""
    links = Markup(", ").join(
        Markup('<a href="{}">{}</a>').format(viewers[each.path].href, each.target)
        for each in maps
        if each.path in viewers
    )
    return Prose(
        text=Markup(
            "Interactive slices of the mean {} maps: {}. Each is a file of its own that works "
            "offline; the anatomy is {}."
        ).format(method_title(main), links, background.words)
    )


def _sizes(maps: list[SaliencyMap]) -> str:
    sizes = sorted({each.n_participants for each in maps if each.n_participants is not None})
    if not sizes:
        return ""
    if len(sizes) == 1:
        return f"mean of {count(sizes[0], 'participant')}"
    return f"mean of {sizes[0]} to {count(sizes[-1], 'participant')}"
