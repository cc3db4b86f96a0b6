"""How many of the group's mean maps hold anything consistent over participants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from fmridecode.report.findings.finding import Finding, record
from fmridecode.report.group.regions import ALIKE
from fmridecode.report.numbers import count, enumeration, whole
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives

_COLUMNS = ("map", "label", "method", "n_participants", "p_fwe_min", "voxels_positive",
            "voxels_negative", "n_permutations", "r_same_decoder")  # fmt: skip


def found(derivatives: Derivatives) -> Finding | None:
    """Count the maps of which a voxel survives the test over participants."""
    table = derivatives.table("maps_tests", *_COLUMNS)
    if table is None or table.frame.empty:
        return None
    frame = table.frame
    means = frame.groupby("method", sort=False)["r_same_decoder"].mean()
    alike = [str(method) for method, r in means.items() if r >= ALIKE]
    survives = frame["voxels_positive"] + frame["voxels_negative"] > 0
    n = int(frame["n_participants"].max())
    return Finding(
        key="maps",
        values={
            "table": table.path.name,
            "n_maps": len(frame),
            "n_with_voxels": int(survives.sum()),
            "methods_of_the_decoder": alike,
            "tests": [record(row, *_COLUMNS) for _, row in frame.iterrows()],
        },
        sentence=Markup(
            "{} of {} have voxels whose saliency has the same sign over participants (one-sample "
            "t, two-sided p &lt; 0.05 corrected for the voxels of a map by {} changes of sign, n "
            "= {}).{}"
        ).format(
            whole(int(survives.sum())),
            count(len(frame), "mean map"),
            whole(int(frame["n_permutations"].max())),
            count(n, "participant"),
            _doubt(alike),
        ),
    )


def _doubt(methods: list[str]) -> str:
    """Say of which methods the test is no inference about the population."""
    if not methods:
        return ""
    named = enumeration([method_title(each) for each in methods])
    return (
        f" By {named}, participants of one decoder have almost the same map, so for these maps "
        "this is no inference about the population (see Regions)."
    )
