"""Group maps of a number: voxelwise regression, mean saliency, and how the two agree."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fmridecode.bids.derivatives import write_map
from fmridecode.bids.labels import camel
from fmridecode.bids.names import bids_name
from fmridecode.core.statistics import bootstrap
from fmridecode.core.voxelwise import FEWEST, Agreement, agreement, beyond_conditions, slopes
from fmridecode.pipeline.regression.stack import (
    MapFile,
    Voxels,
    means_of,
    saliency_files,
    voxels_of,
    zscored_files,
)

ALIGNMENT_DICTIONARY = {
    "method": "Saliency method.",
    "reference": "Over whom the voxelwise regression is that the saliency is held against: test, "
    "the participants whom the same decoder was tested on, whose maps it never saw, as the truth "
    "of classes comes from the participant's own maps; all, everyone, most of whom trained the "
    "decoder, so that part of the agreement is of the noise that both saw.",
    "pearson_r": "Mean over participants of the signed Pearson correlation, over voxels, of the "
    "participant's mean saliency with the slope of the map on the number.",
    "ci_low": "Lower end of the 95 % percentile bootstrap interval, participants resampled.",
    "ci_high": "Upper end of that interval.",
    "p": "One-sided p of 1000 exchanges of the number between the participants of a decoder; n/a "
    "for all, whose numbers the decoders have seen.",
    "n_participants": f"Participants scored; decoders that test fewer than {FEWEST} are not.",
    "n_voxels": "Voxels of the mask.",
}


def write_number_maps(
    output_dir: Path, participants: pd.DataFrame, target: str, *, seed: int
) -> pd.DataFrame:
    """Write the group maps, and return the table of alignment.

    Parameters
    ----------
    output_dir
        Of the run; what an earlier run wrote and this one does not is removed.
    participants
        One row for each who is scored: ``participant_id``, ``true``, ``fold``.
    target
        What the number is called.
    seed
        Of the bootstrap and the permutations.
    """
    ids = [str(each) for each in participants["participant_id"]]
    files = zscored_files(output_dir, ids)
    voxels, labels = voxels_of(files), [str(each.said["Label"]) for each in files]
    who, maps = beyond_conditions(
        lambda i: voxels.read(files[i].path), labels, [each.participant for each in files]
    )
    table = participants.set_index("participant_id").loc[list(who)]
    numbers = table["true"].to_numpy(dtype=np.float64)
    folds = table["fold"].fillna(0).to_numpy(dtype=np.int64)
    sources = _sources(output_dir, files)
    written = _write_slopes(output_dir, voxels, maps, numbers, target, sources)
    found = []
    for method, of_method in saliency_files(output_dir, who).items():
        means = means_of(voxels, of_method, who)
        written.append(_write_mean(output_dir, voxels, means, of_method, target))
        for reference, groups in (("test", folds), ("all", np.zeros_like(folds))):
            generator = np.random.default_rng(seed)
            each = agreement(means, maps, numbers, groups, generator=generator)
            found.append(_row(method, reference, each, means.shape[1], seed=seed))
    remove_maps(output_dir, but=written)
    return pd.DataFrame(found, columns=list(ALIGNMENT_DICTIONARY))


def remove_maps(output_dir: Path, *, but: Collection[Path]) -> None:
    """Remove the group maps, with their sidecars, that an earlier run wrote and not this one."""
    for pattern in ("group_*_saliency.nii.gz", "group_*_statmap.nii.gz"):
        for earlier in set(output_dir.glob(pattern)) - set(but):
            earlier.unlink()
            sidecar = earlier.with_name(earlier.name.removesuffix(".nii.gz") + ".json")
            sidecar.unlink(missing_ok=True)


def _row(
    method: str, reference: str, found: Agreement, n_voxels: int, *, seed: int
) -> dict[str, object]:
    r = found.pearson_r[np.isfinite(found.pearson_r)]
    low = mean = high = np.nan
    if len(r):
        estimate = bootstrap(
            len(r), lambda drawn: float(r[drawn].mean()), generator=np.random.default_rng(seed)
        )
        mean, low, high = estimate.value, estimate.low, estimate.high
    return {
        "method": method,
        "reference": reference,
        "pearson_r": mean,
        "ci_low": low,
        "ci_high": high,
        "p": found.p if reference == "test" else np.nan,
        "n_participants": len(r),
        "n_voxels": n_voxels,
    }


def _write_slopes(
    output_dir: Path,
    voxels: Voxels,
    maps: NDArray[np.floating],
    numbers: NDArray[np.float64],
    target: str,
    sources: Mapping[str, object],
) -> list[Path]:
    if len(numbers) < FEWEST or np.ptp(numbers) == 0:
        return []
    found = slopes(maps, numbers)
    said = {
        "TargetColumn": target,
        "Regressed": "Each participant's mean z-scored map, the mean map of each condition taken "
        "out before, on the standardised number, with an intercept, in every voxel.",
        "NumberOfParticipants": found.n,
        "NumberSD": float(numbers.std()),
        **sources,
    }
    images: dict[str, tuple[NDArray[np.float64], Mapping[str, object]]] = {
        "beta": (found.beta, {"Units": f"SD of the map per SD of {target}"}),
        "t": (found.t, {"DegreesOfFreedom": found.n - 2, "Correction": "none"}),
    }
    paths = []
    for stat, (values, more) in images.items():
        path = output_dir / bids_name(
            "statmap",
            ".nii.gz",
            space=voxels.grid.space,
            res=voxels.grid.resolution,
            stat=stat,
            desc=camel("regression", "of", target),
        )
        path = path.with_name(f"group_{path.name}")
        described = {"beta": "Slope", "t": "t of the slope"}[stat]
        sidecar = {"Description": f"{described} of the maps on {target}.", **said, **more}
        _write(path, voxels, values, sidecar)
        paths.append(path)
    return paths


def _write_mean(
    output_dir: Path,
    voxels: Voxels,
    means: NDArray[np.float32],
    files: Sequence[MapFile],
    target: str,
) -> Path:
    said = files[0].said
    method = str(said["SaliencyMethod"])
    name = bids_name(
        "saliency",
        ".nii.gz",
        space=voxels.grid.space,
        res=voxels.grid.resolution,
        desc=camel(method, "to", target),
    )
    path = output_dir / f"group_{name}"
    kept = ("SaliencyMethod", "TargetColumn", "Sign", "Units", "Mask")
    sidecar = {
        "Description": f"Mean over {len(means)} participants of their mean {method} saliency for "
        f"{target}; sessions and conditions are averaged first.",
        **{key: said[key] for key in kept if key in said},
        "NumberOfParticipants": len(means),
        **_sources(output_dir, files),
    }
    _write(path, voxels, means.mean(axis=0, dtype=np.float64), sidecar)
    return path


def _write(
    path: Path, voxels: Voxels, values: NDArray[np.floating], sidecar: Mapping[str, object]
) -> None:
    whole = voxels.on_grid(values)
    write_map(path, whole, grid=voxels.grid, mask=voxels.mask, sidecar=sidecar)


def _sources(output_dir: Path, files: Sequence[MapFile]) -> dict[str, object]:
    return {"Sources": [f"bids::{each.path.relative_to(output_dir)}" for each in files]}
