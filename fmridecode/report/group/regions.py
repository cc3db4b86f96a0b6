"""Which voxels and regions carry the information consistently: tests, clusters, parcels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from fmridecode.report.blocks import Block, Column, Gallery, Grid, Heading, Missing, Prose
from fmridecode.report.drawing import source
from fmridecode.report.glass import glass_brain, glass_picture
from fmridecode.report.group.clusters import cluster_grids
from fmridecode.report.group.facts import class_names
from fmridecode.report.group.maps import LEGEND
from fmridecode.report.group.parcels import parcel_blocks
from fmridecode.report.numbers import count, number, p_value, whole
from fmridecode.report.saliency import SaliencyMap, in_order
from fmridecode.report.words import main_method
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table

ALIKE = 0.5
"""Correlation of maps by one decoder from which on a test over participants is called doubtful."""

_COLUMNS = (
    "map", "label", "method", "n_participants", "df", "n_voxels", "t_min", "t_max", "p_fwe_min",
    "threshold_t", "voxels_positive", "voxels_negative", "n_permutations", "n_decoders",
    "r_same_decoder", "r_other_decoders",
)  # fmt: skip


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Show what the tests of the group maps found, and where."""
    maps = in_order(derivatives.group_maps(), class_names(derivatives))
    table = derivatives.table("maps_tests", *_COLUMNS)
    if not maps or (table is not None and table.frame.empty):
        table = None
    blocks: list[Block] = []
    if table is None:
        blocks.append(_untested(maps))
    else:
        blocks += [_explanation(table), *_doubts(table), _outcomes(derivatives, table, maps)]
        blocks += _surviving(derivatives, table, maps)
    return (*blocks, *cluster_grids(derivatives, maps), *parcel_blocks(derivatives, maps))


def _untested(maps: tuple[SaliencyMap, ...]) -> Block:
    said = [str(each.sidecar.get("Statistics", "")) for each in maps]
    reason = next((text.removeprefix("None: ") for text in said if text.startswith("None: ")), "")
    if reason:
        return Prose(text=f"The maps of the group are not tested: {reason}")
    return Missing(
        what="The tests of the group maps cannot be shown",
        file="group_desc-maps_tests.tsv",
        remedy="run the group level",
    )


def _explanation(table: Table) -> Prose:
    first = table.frame.iloc[0]
    return Prose(
        text="Each voxel’s saliency is tested against 0 over participants (one-sample t, "
        f"two-sided, n = {whole(first['n_participants'])}). p is corrected for all voxels of a "
        f"map by the largest |t| over {whole(first['n_permutations'])} random changes of the "
        f"participants’ signs, not for the {count(len(table.frame), 'map')}."
    )


def _doubts(table: Table) -> tuple[Block, ...]:
    """Say of which methods the maps are the decoders' rather than the participants'."""
    means = table.frame.groupby("method", sort=False)["r_same_decoder"].mean()
    alike, others = means[means >= ALIKE], means[means < ALIKE]
    if alike.empty:
        return ()
    named = ", ".join(f"{method_title(str(m))} (r = {number(r)})" for m, r in alike.items())
    decoders = count(table.frame["n_decoders"].max(), "decoder")
    better = (
        f" The maps by {' and '.join(method_title(str(m)) for m in others.index)} differ between "
        "participants, and their tests come closer to what they seem to say."
        if len(others)
        else ""
    )
    return (
        Prose(
            text=Markup(
                "<strong>Careful:</strong> participants explained by the same decoder have almost "
                "the same map by {}. Such maps are the decoder’s rather than the participant’s, "
                "so the participants are not independent and p is far too small: it says that "
                "{}, trained on overlapping participants, agree. It is no inference about the "
                "population.{}"
            ).format(named, decoders, better)
        ),
    )


def _outcomes(derivatives: Derivatives, table: Table, maps: tuple[SaliencyMap, ...]) -> Grid:
    meaning = table.descriptions.get
    order = {each.path.name: position for position, each in enumerate(maps)}
    shown = table.frame.iloc[table.frame["map"].map(order).fillna(len(order)).argsort()]
    return Grid(
        caption="Outcome of the tests: voxels whose corrected p is below 0.05, and how much the "
        "maps of two participants by the same decoder, and by different ones, correlate.",
        columns=(
            Column("Class"),
            Column("Method"),
            Column("Voxels above 0", numeric=True, meaning=meaning("voxels_positive", "")),
            Column("below 0", numeric=True, meaning=meaning("voxels_negative", "")),
            Column("of", numeric=True, meaning=meaning("n_voxels", "")),
            Column("t (df)", numeric=True, meaning="Smallest and largest t."),
            Column("Critical |t|", numeric=True, meaning=meaning("threshold_t", "")),
            Column("Smallest p", numeric=True, meaning=meaning("p_fwe_min", "")),
            Column("r, same decoder", numeric=True, meaning=meaning("r_same_decoder", "")),
            Column("r, other", numeric=True, meaning=meaning("r_other_decoders", "")),
        ),
        rows=tuple(
            (
                str(row["label"]),
                method_title(str(row["method"])),
                whole(row["voxels_positive"]),
                whole(row["voxels_negative"]),
                whole(row["n_voxels"]),
                f"{number(row['t_min'], 1)} to {number(row['t_max'], 1)} ({whole(row['df'])})",
                number(row["threshold_t"]),
                p_value(row["p_fwe_min"], symbol=False),
                number(row["r_same_decoder"]),
                number(row["r_other_decoders"]),
            )
            for _, row in shown.iterrows()
        ),
        sources=(source(derivatives, table.path),),
    )


def _surviving(
    derivatives: Derivatives, table: Table, maps: tuple[SaliencyMap, ...]
) -> tuple[Block, ...]:
    """Show t where the corrected p is below 0.05, of the main method."""
    main = main_method([each.method for each in maps])
    thresholds = dict(
        zip(table.frame["map"], table.frame["threshold_t"].astype(float), strict=True)
    )
    brain, pictures = glass_brain(), []
    for each in maps:
        least = thresholds.get(each.path.name, np.nan)
        if each.method != main or not np.isfinite(least):
            continue
        path = each.path.with_name(
            each.path.name.replace("_desc-", "_stat-t_desc-").replace("_saliency.", "_statmap.")
        )
        if path.is_file():
            pictures.append(
                glass_picture(
                    derivatives,
                    brain,
                    each.at(path),
                    name=f"{path.name.removesuffix('.nii.gz')}_fwe",
                    caption=f"{each.target}: t, |t| ≥ {number(least)}",
                    least=least,
                    what="t of the saliency",
                )
            )
    if not pictures:
        return (Prose(text=f"No voxel of a mean {method_title(main)} map survives."),)
    return (
        Heading(text="Voxels that survive", note=f"t of {method_title(main)}, corrected p < 0.05"),
        Gallery(pictures=tuple(pictures), smallest=260, legend=LEGEND),
    )
