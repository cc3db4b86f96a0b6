"""Group maps: the mean of every class and method, its test, its clusters and its parcels."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from fmridecode.bids.atlas import Atlas, load_atlas
from fmridecode.bids.derivatives import write_map, write_table
from fmridecode.config import RunConfig
from fmridecode.pipeline.group.clusters import CLUSTERS_DICTIONARY, cluster_rows
from fmridecode.pipeline.group.inference import (
    ALPHA,
    CLUSTER_MAPS,
    FORMING,
    Inference,
    infer,
    why_untested,
)
from fmridecode.pipeline.group.parcels import (
    PARCELS_DICTIONARY,
    ParcelMeans,
    parcel_means,
    parcels_table,
    participants_table,
)
from fmridecode.pipeline.group.stack import ENDING, Stack, find_members, read_stack
from fmridecode.pipeline.train import WORTH_SAYING
from fmridecode.progress import progress

log = logging.getLogger(__name__)

TESTS_DICTIONARY = {
    "map": "Mean map that is tested.",
    "label": "True class of the maps that are explained.",
    "target": "Class, or difference of two, whose probability is explained.",
    "method": "Saliency method.",
    "n_participants": "Participants, each counted once.",
    "df": "Degrees of freedom of t.",
    "n_voxels": "Voxels tested.",
    "t_min": "Smallest t.",
    "t_max": "Largest t.",
    "p_fwe_min": "Smallest two-sided p, corrected for all voxels of the map by the maximum of |t| "
    "over permutations; not corrected for the number of maps.",
    "threshold_t": f"Smallest |t| with a corrected p below {ALPHA}; n/a where no voxel survives.",
    "voxels_positive": f"Voxels with t above 0 and a corrected p below {ALPHA}.",
    "voxels_negative": "The same with t below 0.",
    "voxels_cluster_size": f"Voxels in clusters (each voxel p < {FORMING}, uncorrected) whose "
    f"size has a corrected p below {ALPHA}; n/a unless --group-statistics full.",
    "voxels_cluster_mass": "The same by the mass of the clusters.",
    "n_permutations": "Random changes of the signs of participants' maps.",
}
_TABLES = ("maps_tests", "clusters_peaks", "parcels_saliency", "parcels_participants")
_DEPENDENCE = (
    "Participants of one fold share a decoder, and the decoders of different folds share most of "
    "their training participants. So the test is of how consistent the maps are over "
    "participants, given these decoders, not over trainings."
)
_DESCRIPTIONS = {
    "t": "One-sample t over participants, in every voxel.",
    "logpMaxT": "-log10 of the two-sided p of the voxel, corrected for all voxels of the map by "
    "the maximum of |t| over permutations.",
    "logpMaxSize": "-log10 of the two-sided p of the voxel's cluster, corrected by the largest "
    f"cluster over permutations. Clusters are of voxels with p < {FORMING}, joined by faces.",
    "logpMaxMass": "-log10 of the two-sided p of the voxel's cluster, corrected by the largest "
    f"cluster mass over permutations. Clusters are of voxels with p < {FORMING}, joined by "
    "faces.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    """What was written of one group map, and its rows in the tables of all."""

    paths: tuple[Path, ...]
    test: dict[str, object] | None
    peaks: list[dict[str, object]]
    parcels: ParcelMeans | None


def write_group_maps(output_dir: Path, config: RunConfig) -> list[Path]:
    """Write the mean of the participants' maps of each class and method, and their statistics.

    Each participant counts once: sessions are averaged first. Maps by decoders that were trained
    on the participant are left out. What an earlier run wrote and this one does not is removed.

    Returns
    -------
    list of Path
        The maps, the mean of each class and method before its statistics.
    """
    found, done = find_members(output_dir), list[_Done]()
    atlas: Atlas | None = None
    with progress("Group maps", len(found)) as advance:
        for name, members in found.items():
            stack = read_stack(name, members)
            if config.evaluation.atlas and atlas is None:
                atlas = load_atlas(
                    config.evaluation.atlas, stack.grid, force_space=config.space.force_space
                )
            started = time.monotonic()
            done.append(_write(output_dir, stack, atlas, config))
            if len(done) == 1:
                _log_estimate((time.monotonic() - started) * (len(found) - 1))
            advance()
    written = [path for each in done for path in each.paths]
    for pattern in (f"group_*{ENDING}", "group_*_statmap.nii.gz"):
        for earlier in set(output_dir.glob(pattern)) - set(written):
            _remove(earlier, ".nii.gz")
    _write_tables(output_dir, done, atlas)
    return written


def _log_estimate(seconds: float) -> None:
    if seconds > WORTH_SAYING:
        log.info(
            "The other group maps will take about %d minutes. Shorter: fewer --permutations, "
            "--group-statistics quick or off.",
            round(seconds / 60),
        )


def _write(output_dir: Path, stack: Stack, atlas: Atlas | None, config: RunConfig) -> _Done:
    untested = why_untested(stack, config.evaluation)
    mean = _write_mean(output_dir / stack.name, stack, untested)
    parcels = None if atlas is None else parcel_means(stack, atlas)
    if untested:
        peaks = list(cluster_rows(stack, None, atlas)) if stack.is_of_interest else []
        return _Done(paths=(mean,), test=None, peaks=peaks, parcels=parcels)
    inference = infer(stack, config.evaluation, seed=config.execution.random_seed)
    return _Done(
        paths=(mean, *_write_statistics(output_dir, stack, inference, config)),
        test=_outcome(stack, inference),
        peaks=list(cluster_rows(stack, inference, atlas)),
        parcels=parcels,
    )


def _write_mean(path: Path, stack: Stack, untested: str) -> Path:
    n = len(stack.participants)
    sidecar = {
        "Description": f"Mean over {n} participants of maps that were each scaled to a "
        f"root mean square of 1. {stack.said['Description']}",
        "Units": "Arbitrary: root mean squares of the participants' maps are 1.",
        "Statistics": f"None: {untested}." if untested else "stat-* of the same name.",
        **_origin(path.parent, stack),
    }
    everywhere = np.ones(stack.grid.shape, dtype=bool)
    write_map(path, stack.mean, grid=stack.grid, mask=everywhere, sidecar=sidecar)
    return path


def _write_statistics(
    output_dir: Path, stack: Stack, inference: Inference, config: RunConfig
) -> tuple[Path, ...]:
    """Write the t map and the maps of corrected p."""
    tested = {
        "Test": "One-sample, two-sided, of participants' maps against 0",
        "DegreesOfFreedom": inference.n_participants - 1,
        "NumberOfVoxels": inference.n_voxels,
        "Note": _DEPENDENCE,
        **_origin(output_dir, stack),
    }
    permuted = {
        "NumberOfPermutations": inference.n_permutations,
        "RandomSeed": config.execution.random_seed,
        "FamilyWise": "The family is the voxels of this map, not the maps of all classes and "
        "methods.",
    }
    paths = []
    for stat, values in {"t": inference.t, **inference.corrected}.items():
        name = stack.name.replace("_desc-", f"_stat-{stat}_desc-")
        path = output_dir / (name.removesuffix(ENDING) + "_statmap.nii.gz")
        sidecar = {
            "Description": f"{_DESCRIPTIONS[stat]} {stack.said['Description']}",
            **tested,
            **({} if stat == "t" else permuted),
        }
        write_map(path, values, grid=stack.grid, mask=stack.covered, sidecar=sidecar)
        paths.append(path)
    return tuple(paths)


def _origin(output_dir: Path, stack: Stack) -> dict[str, object]:
    kept = ("Mask", "SaliencyMethod", "TargetClass", "TrueClass", "Sign")
    return {
        "NumberOfParticipants": len(stack.participants),
        "Sources": [f"bids::{each.relative_to(output_dir)}" for each in stack.sources],
        **{key: stack.said[key] for key in kept if key in stack.said},
    }


def _outcome(stack: Stack, inference: Inference) -> dict[str, object]:
    survives, t = inference.survives, inference.t
    clusters = {
        f"voxels_cluster_{stat.removeprefix('logpMax').lower()}": int(
            (inference.corrected[stat] > -np.log10(ALPHA)).sum()
        )
        if stat in inference.corrected
        else None
        for stat in CLUSTER_MAPS
    }
    return {
        "map": stack.name,
        "label": stack.label,
        "target": stack.target,
        "method": stack.method,
        "n_participants": inference.n_participants,
        "df": inference.n_participants - 1,
        "n_voxels": inference.n_voxels,
        "t_min": float(t.min()),
        "t_max": float(t.max()),
        "p_fwe_min": float(10.0 ** -inference.corrected["logpMaxT"].max()),
        "threshold_t": float(np.abs(t[survives]).min()) if survives.any() else np.nan,
        "voxels_positive": int((survives & (t > 0)).sum()),
        "voxels_negative": int((survives & (t < 0)).sum()),
        **clusters,
        "n_permutations": inference.n_permutations,
    }


def _write_tables(output_dir: Path, done: list[_Done], atlas: Atlas | None) -> None:
    tables: dict[str, tuple[pd.DataFrame, Mapping[str, str]]] = {}
    if tests := [each.test for each in done if each.test is not None]:
        tables["maps_tests"] = (pd.DataFrame(tests), TESTS_DICTIONARY)
    if peaks := [row for each in done for row in each.peaks]:
        tables["clusters_peaks"] = (
            pd.DataFrame(peaks, columns=list(CLUSTERS_DICTIONARY)),
            CLUSTERS_DICTIONARY,
        )
    parcels = [each.parcels for each in done if each.parcels is not None]
    if atlas is not None and parcels:
        said = {**PARCELS_DICTIONARY, "parcel": f"Name of the parcel in {atlas.source}."}
        tables["parcels_saliency"] = (parcels_table(parcels, atlas), said)
        tables["parcels_participants"] = participants_table(parcels, atlas)
    for name in _TABLES:
        path = output_dir / f"group_desc-{name}.tsv"
        if name in tables:
            write_table(path, *tables[name])
        else:
            _remove(path, ".tsv")


def _remove(path: Path, extension: str) -> None:
    """Remove what an earlier run wrote, with its sidecar."""
    path.unlink(missing_ok=True)
    path.with_name(path.name.removesuffix(extension) + ".json").unlink(missing_ok=True)
