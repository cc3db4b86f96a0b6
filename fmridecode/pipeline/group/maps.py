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
from fmridecode.pipeline.group.inference import infer, why_untested
from fmridecode.pipeline.group.parcels import (
    PARCELS_DICTIONARY,
    ParcelMeans,
    parcel_means,
    parcels_table,
    participants_table,
)
from fmridecode.pipeline.group.stack import (
    ENDING,
    Stack,
    find_members,
    methods_of,
    read_stack,
)
from fmridecode.pipeline.group.statmaps import (
    TESTS_DICTIONARY,
    origin,
    outcome,
    write_statistics,
)
from fmridecode.pipeline.training.train import WORTH_SAYING
from fmridecode.progress import progress
from fmridecode.report.words import main_method

log = logging.getLogger(__name__)

_TABLES = ("maps_tests", "clusters_peaks", "parcels_saliency", "parcels_participants")


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
    main, atlas = main_method(methods_of(found)), None
    with progress("Group maps", len(found)) as advance:
        for name, members in found.items():
            stack = read_stack(name, members)
            if config.evaluation.atlas and atlas is None and stack.is_of_interest:
                atlas = load_atlas(
                    config.evaluation.atlas, stack.grid, force_space=config.space.force_space
                )
            started = time.monotonic()
            done.append(_write(output_dir, stack, atlas, config, main=main))
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


def _write(
    output_dir: Path, stack: Stack, atlas: Atlas | None, config: RunConfig, *, main: str
) -> _Done:
    untested = why_untested(stack, config.evaluation, main=main)
    mean = _write_mean(output_dir / stack.name, stack, untested)
    wanted = atlas is not None and stack.is_of_interest
    parcels = parcel_means(stack, atlas) if wanted and atlas is not None else None
    if untested:
        peaks = list(cluster_rows(stack, None, atlas)) if stack.is_of_interest else []
        return _Done(paths=(mean,), test=None, peaks=peaks, parcels=parcels)
    inference = infer(stack, config.evaluation, seed=config.execution.random_seed)
    return _Done(
        paths=(mean, *write_statistics(output_dir, stack, inference, config)),
        test=outcome(stack, inference),
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
        **origin(path.parent, stack),
    }
    everywhere = np.ones(stack.grid.shape, dtype=bool)
    write_map(path, stack.mean, grid=stack.grid, mask=everywhere, sidecar=sidecar)
    return path


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
