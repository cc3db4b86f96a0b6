"""Voxelwise regression on the number and mean saliency, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from fmridecode.report.blocks import Block, Column, Gallery, Grid, Key, Missing, Prose
from fmridecode.report.drawing import source
from fmridecode.report.glass import GlassBrain, glass_picture
from fmridecode.report.group.maps import READING
from fmridecode.report.numbers import count, interval, number, p_value, whole
from fmridecode.report.regression.facts import alignment_table
from fmridecode.report.viewer import find_background, write_viewer
from fmridecode.report.words import METHODS, main_method
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from fmridecode.report.blocks import Picture, Source
    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.saliency import SaliencyMap

LEGEND = (
    Key(css="positive", text="more activation, higher number"),
    Key(css="negative", text="more activation, lower number"),
)
_STATS = {"beta": "Slope of the maps", "t": "t of the slope"}


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Show the regression and the mean saliency of every method, and how they agree."""
    maps = derivatives.number_maps()
    saliency = sorted(
        (each for each in maps if "SaliencyMethod" in each.sidecar),
        key=lambda each: list(METHODS).index(each.method) if each.method in METHODS else 99,
    )
    regression = [each for each in maps if "SaliencyMethod" not in each.sidecar]
    if not saliency:
        return (
            Missing(
                what="The group maps cannot be shown",
                file="group_*_saliency.nii.gz with sidecars",
                remedy="run the group level",
            ),
        )
    n = saliency[0].n_participants or 0
    main = main_method([each.method for each in saliency])
    slices = [*(each for each in saliency if each.method == main), *regression]
    background = find_background(derivatives, saliency[0].path)
    viewers = {
        each.path: write_viewer(
            derivatives, background, each, title=f"{_title(each)}: {each.target}"
        )
        for each in slices
    }
    brain = GlassBrain()
    pictures = tuple(
        _picture(derivatives, brain, each, viewers.get(each.path))
        for each in (*regression, *saliency)
    )
    return (
        Prose(
            text=Markup(
                "The regression is of each participant’s mean z-scored map on {}, voxel by voxel, "
                "over {}; it uses no decoder. Saliency is the mean over the same participants of "
                "how the predicted number changes with each voxel."
            ).format(saliency[0].target, count(n, "participant"))
        ),
        READING,
        Gallery(pictures=pictures, smallest=260, legend=LEGEND),
        *_alignment(derivatives),
    )


def _title(each: SaliencyMap) -> str:
    if "SaliencyMethod" in each.sidecar:
        return f"Mean {method_title(each.method)} saliency"
    return next((t for key, t in _STATS.items() if f"_stat-{key}_" in each.path.name), "Map")


def _picture(
    derivatives: Derivatives, brain: GlassBrain, each: SaliencyMap, viewer: Source | None
) -> Picture:
    unit = str(each.sidecar.get("Units", ""))
    return glass_picture(
        derivatives,
        brain,
        each,
        name=each.path.name.removesuffix(".nii.gz"),
        caption=f"{_title(each)}{f', in {unit}' if unit else ''}",
        more=() if viewer is None else (viewer,),
        what="saliency" if "SaliencyMethod" in each.sidecar else "map",
    )


def _alignment(derivatives: Derivatives) -> tuple[Block, ...]:
    table = alignment_table(derivatives)
    if table is None:
        return ()
    return (
        Prose(
            text="Alignment is the signed correlation, over voxels, of a participant’s saliency "
            "with the regression over the participants whom the same decoder was tested on; the "
            "decoder has seen neither their maps nor their numbers. Beside it stands the "
            "regression over everyone, which most decoders’ training participants are part of, "
            "so that it says less. Alignment is not faithfulness to the decoder."
        ),
        Grid(
            caption="Alignment of saliency with the voxelwise regression.",
            columns=(
                Column("Saliency"),
                Column("Regression over", meaning=table.descriptions.get("reference", "")),
                Column("Mean r", numeric=True, meaning=table.descriptions.get("pearson_r", "")),
                Column("95 % CI", numeric=True),
                Column("p", numeric=True, meaning=table.descriptions.get("p", "")),
                Column("Participants", numeric=True),
            ),
            rows=tuple(
                (
                    method_title(str(row["method"])),
                    {"test": "those tested", "all": "everyone"}.get(str(row["reference"]), ""),
                    number(float(row["pearson_r"])),
                    interval(float(row["ci_low"]), float(row["ci_high"])),
                    p_value(float(row["p"]), symbol=False),
                    whole(float(row["n_participants"])),
                )
                for _, row in table.frame.iterrows()
            ),
            sources=(source(derivatives, table.path),),
        ),
    )
