"""A participant from files to files, beside a script of nilearn, captum and nibabel."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import torch
from numpy.typing import NDArray

from fmridecode.bids.images import read_image
from fmridecode.bids.resampling import resample
from fmridecode.bids.saliency_files import compressed
from fmridecode.bids.tables import read_table
from fmridecode.core.settings import EvaluationConfig
from fmridecode.experiments.benchmarks import references
from fmridecode.experiments.benchmarks.comparison import Comparison
from fmridecode.experiments.regions import DOMAINS
from fmridecode.pipeline.bench.study import MEASURES, TEMPERATURE, Study
from fmridecode.pipeline.participant.output import Output
from fmridecode.pipeline.participant.write import write_participants
from fmridecode.pipeline.preparing.prepare import prepare
from fmridecode.pipeline.turns import Turn


def participant_run(study: Study) -> Comparison:
    """Compare one participant from files to files: index, read, decode, explain, score, write.

    Nothing is measured of the maps but their scores, which the script computes too.
    """
    off = "--" + " off --".join(MEASURES) + " off"
    return _compared(study, f"default preset, {off}")


def measured_run(study: Study) -> Comparison:
    """Compare the same with all that is measured of maps by default, which the script does not."""
    measured = replace(study, config=replace(study.config, evaluation=EvaluationConfig()))
    return _compared(measured, "default preset, whose evaluation the script does not do")


def _compared(study: Study, how: str) -> Comparison:
    def fresh() -> Path:
        return Path(tempfile.mkdtemp(prefix="out-", dir=study.folder))

    def error() -> float:
        ours, theirs = fresh(), fresh()
        _run(study, ours)
        return _difference(ours, theirs, _script(study, theirs))

    return Comparison(
        name=f"participant run without its page, {len(study.files)} maps in and out, "
        f"{study.config.space.resolution} mm, {how}",
        ours=lambda: _run(study, fresh()),
        reference=lambda: _script(study, fresh()),
        error=error,
        tolerance=2e-3,
        difference="the largest difference of two written maps, or of two scores, over the "
        "largest value",
        floor=lambda: _floor(study),
        floor_is="inflating and resampling the maps in, and deflating those out",
    )


def _run(study: Study, out: Path) -> None:
    """Do what the participant level does up to the page."""
    config = study.config
    prepared = prepare(config, study.bids, out, only_asked=True, onto=study.template)
    turn = Turn(
        bundle=study.bundle,
        fold=None,
        participants=prepared.asked[:1],
        seen=frozenset(),
        config=config,
    )
    order = {each.name: k for k, each in enumerate(study.bundle.decoder.classes)}
    maps = prepared.maps
    labels = [order[name] for name in maps.class_names]
    maps = replace(
        maps,
        classes=study.bundle.decoder.classes,
        examples=tuple(replace(each, label=labels[each.label]) for each in maps.examples),
    )
    device = torch.device("cpu")
    write_participants([turn], maps, Output(folder=out), n_participants=1, device=device)


def _script(study: Study, out: Path) -> dict[tuple[str, str, str], float]:
    """Do the same with nilearn, captum and nibabel; return the scores."""
    from nilearn.image import resample_to_img

    template, mask = study.template, study.template.mask
    onto = nib.Nifti1Image(mask.astype(np.float32), template.grid.matrix)
    rows = []
    for path in study.files:
        moved: Any = resample_to_img(
            nib.load(path), onto, interpolation="continuous", force_resample=True, copy_header=True
        )
        inside = moved.get_fdata(dtype=np.float32)[mask]
        values = np.zeros(mask.shape, dtype=np.float32)
        values[mask] = (inside - inside.mean()) / inside.std()
        rows.append(values)
    x = np.stack(rows)
    maps = references.gradient_maps(
        study.bundle.decoder.model, torch.from_numpy(x), len(rows), TEMPERATURE
    ).numpy()
    for k, path in enumerate(study.files):
        scaled = maps[k, k] / np.sqrt(np.mean(maps[k, k][mask] ** 2))
        nib.save(nib.Nifti1Image(scaled.astype(np.float32), template.grid.matrix), out / path.name)
    return _correlations(maps[:, :, mask].astype(np.float64), x[:, mask].astype(np.float64))


def _correlations(
    maps: NDArray[np.float64], activation: NDArray[np.float64]
) -> dict[tuple[str, str, str], float]:
    """Score one map a class by CIA and CAD."""
    scores, everything = {}, range(len(maps))
    for y in everything:
        own = activation[y] - activation.mean(axis=0)
        scores[DOMAINS[y], "CIA", DOMAINS[y]] = np.corrcoef(maps[y, y], own)[0, 1]
        for k in set(everything) - {y}:
            difference = activation[k] - activation[y]
            scores[DOMAINS[y], "CAD", DOMAINS[k]] = np.corrcoef(maps[y, k], difference)[0, 1]
    return scores


def _difference(ours: Path, theirs: Path, scores: dict[tuple[str, str, str], float]) -> float:
    worst = 0.0
    for path in theirs.glob("*.nii.gz"):
        task = path.name.split("_")[1]
        (own,) = ours.glob(f"sub-*/func/*_{task}_*_saliency.nii.gz")
        a, b = read_image(own)[0], read_image(path)[0]
        worst = max(worst, float(np.abs(a - b).max() / np.abs(b).max()))
    (table,) = ours.glob("sub-*/func/*_desc-interpretability_scores.tsv")
    found = {
        (row["label"], row["criterion"], row["target"]): float(row["pearson_r"])
        for _, row in read_table(table).iterrows()
    }
    if found.keys() != scores.keys():
        return float("nan")
    largest = max(map(abs, scores.values()))
    return max(worst, *(abs(found[key] - scores[key]) / largest for key in scores))


def _floor(study: Study) -> float:
    start = time.perf_counter()
    for path in study.files:
        data, affine = read_image(path)
        moved, _ = resample(data, affine, study.template.grid)
        compressed(moved.tobytes())
    return time.perf_counter() - start
