"""How many of the group's mean maps hold anything consistent over participants."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from fmridecode.report.findings.finding import Finding, record
from fmridecode.report.numbers import count, whole

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives

_COLUMNS = ("map", "label", "method", "n_participants", "p_fwe_min", "voxels_positive",
            "voxels_negative", "n_permutations")  # fmt: skip


def found(derivatives: Derivatives) -> Finding | None:
    """Count the maps of which a voxel survives the test over participants."""
    table = derivatives.table("maps_tests", *_COLUMNS)
    if table is None or table.frame.empty:
        return None
    frame = table.frame
    survives = frame["voxels_positive"] + frame["voxels_negative"] > 0
    n = int(frame["n_participants"].max())
    return Finding(
        key="maps",
        values={
            "table": table.path.name,
            "n_maps": len(frame),
            "n_with_voxels": int(survives.sum()),
            "tests": [record(row, *_COLUMNS) for _, row in frame.iterrows()],
        },
        sentence=Markup(
            "{} of {} have voxels whose saliency has the same sign over participants (one-sample "
            "t, two-sided p &lt; 0.05 corrected for the voxels of a map by {} changes of sign, n "
            "= {})."
        ).format(
            whole(int(survives.sum())),
            count(len(frame), "mean map"),
            whole(int(frame["n_permutations"].max())),
            count(n, "participant"),
        ),
    )
