"""Tables of where group maps peak, and how large the clusters around the peaks are."""

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.atlas import Atlas
from fmridecode.core.grid import Grid
from fmridecode.pipeline.group.inference import ALPHA, Inference
from fmridecode.pipeline.group.stack import Stack

STRONGEST = 99.0
"""Percentile of the absolute mean above which peaks are listed where no voxel survives."""

MOST_UNCORRECTED = 5
"""Clusters of each sign that are listed where no voxel survives."""

APART = 8.0
"""Least distance of two peaks of a cluster, in mm."""

CLUSTERS_DICTIONARY = {
    "map": "Mean map that the peak is of.",
    "label": "True class of the maps that are explained.",
    "target": "Class, or difference of two, whose probability is explained.",
    "method": "Saliency method.",
    "basis": f"fwe: voxels with a corrected p below {ALPHA}, and the value is t. uncorrected: no "
    f"voxel survives; the {MOST_UNCORRECTED} strongest clusters of each sign of voxels above the "
    f"{STRONGEST:g}th percentile of the absolute mean, and the value is the mean. They are no "
    "finding.",
    "cluster": "Number of the cluster, voxels joined by their faces; a letter marks a further "
    f"peak of it, at least {APART:g} mm away, three at most.",
    "x": "Right of the origin, in mm.",
    "y": "In front of it.",
    "z": "Above it.",
    "value": "t, or the mean, at the peak; see basis.",
    "p_fwe": "Two-sided p of the peak, corrected for all voxels of this map by the maximum of |t| "
    "over permutations; not corrected for the number of maps.",
    "size_mm3": "Volume of the cluster; n/a for further peaks.",
    "region": "Parcel of the --atlas at the peak; n/a outside of all parcels, or without atlas.",
}


def cluster_rows(
    stack: Stack, inference: Inference | None, atlas: Atlas | None
) -> Iterator[dict[str, object]]:
    """Yield one row for each peak of a group map, the strongest clusters first."""
    if inference is not None and inference.survives.any():
        shown, basis = np.where(inference.survives, inference.t, 0.0), "fwe"
        found = _peaks(shown, stack.grid)
    else:
        basis = "uncorrected"
        found = _strongest(stack.mean, stack.covered, stack.grid)
    for cluster, position, value, size in found:
        voxel = _voxel(position, stack.grid)
        yield {
            "map": stack.name,
            "label": stack.label,
            "target": stack.target,
            "method": stack.method,
            "basis": basis,
            "cluster": cluster,
            **dict(zip("xyz", position, strict=True)),
            "value": value,
            "p_fwe": None if inference is None else _p(inference, voxel),
            "size_mm3": size,
            "region": None if atlas is None else atlas.name_at(voxel),
        }


Peak = tuple[str, tuple[float, float, float], float, float | None]
"""Cluster, millimetres, value, and the size of the cluster for its first peak."""


def _peaks(values: NDArray[np.float64], grid: Grid) -> list[Peak]:
    """Return the clusters of all voxels that are not 0, the positive ones first."""
    import nibabel as nib
    from nilearn.reporting import get_clusters_table

    smallest = float(np.abs(values[values != 0]).min(initial=np.inf))
    if not np.isfinite(smallest):
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one sign may have no cluster
        table = get_clusters_table(
            nib.Nifti1Image(values, grid.matrix),
            stat_threshold=smallest / 2,
            two_sided=True,
            min_distance=APART,
        )
    return [
        (
            str(row["Cluster ID"]),
            (float(row["X"]), float(row["Y"]), float(row["Z"])),
            float(row["Peak Stat"]),
            None if row["Cluster Size (mm3)"] == "" else float(row["Cluster Size (mm3)"]),
        )
        for _, row in table.iterrows()
    ]


def _strongest(mean: NDArray[np.float64], covered: NDArray[np.bool_], grid: Grid) -> list[Peak]:
    """Return the first peaks of the strongest clusters of the mean, a few of each sign."""
    if not covered.any():
        return []
    above = np.abs(mean) > np.percentile(np.abs(mean[covered]), STRONGEST)
    firsts = [peak for peak in _peaks(np.where(above, mean, 0.0), grid) if peak[3] is not None]
    of_sign = ([p for p in firsts if p[2] > 0], [p for p in firsts if p[2] < 0])
    return [peak for peaks in of_sign for peak in peaks[:MOST_UNCORRECTED]]


def _voxel(position: tuple[float, float, float], grid: Grid) -> tuple[int, int, int]:
    i, j, k = np.rint(np.linalg.solve(grid.matrix, [*position, 1.0])[:3]).astype(int)
    return int(i), int(j), int(k)


def _p(inference: Inference, voxel: tuple[int, int, int]) -> float:
    return float(10.0 ** -inference.corrected["logpMaxT"][voxel])
