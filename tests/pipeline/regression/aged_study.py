"""A data set of maps in which one region's amplitude grows with the participants' age."""

import json
from collections.abc import Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from fmridecode.bids.templates import Template

ENTITIES = "space-MNI152NLin2009cAsym_stat-z_statmap.nii.gz"
CENTRE = (8, 16, 12)
"""Voxel at which the amplitude grows with age."""


def region(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Return the region: 1 at its centre."""
    values = np.zeros(shape)
    values[CENTRE] = 1.0
    values = gaussian_filter(values, 1.0)
    return np.asarray(values / values.max())


def write_aged_study(
    root: Path,
    template: Template,
    *,
    n_participants: int = 24,
    tasks: Sequence[str] = ("faces",),
    slope: float = 4.0,
    seed: int = 5,
) -> Path:
    """Write maps of noise, a region of each task, and one that grows with age."""
    rng, shape = np.random.default_rng(seed), template.grid.shape
    root.mkdir(parents=True)
    described = {"Name": "aged", "BIDSVersion": "1.9.0", "DatasetType": "derivative"}
    (root / "dataset_description.json").write_text(json.dumps(described))
    said = {"age": {"Description": "Age.", "Units": "years"}}
    (root / "participants.json").write_text(json.dumps(said))
    patterns = {task: gaussian_filter(rng.standard_normal(shape), 1.5) * 8 for task in tasks}
    rows = ["participant_id\tage\tmood\tsame\tsite"]
    for p in range(n_participants):
        age = float(rng.uniform(20, 70))
        rows.append(f"sub-{p:02d}\t{age:.1f}\t{rng.normal():.3f}\t30\t{'ab'[p % 2]}")
        folder = root / f"sub-{p:02d}" / "func"
        folder.mkdir(parents=True)
        for task in tasks:
            data = patterns[task] + gaussian_filter(rng.standard_normal(shape), 1.0) * 4
            data += slope * (age - 45) / 15 * region(shape)
            image = nib.Nifti1Image(data.astype(np.float32), template.grid.matrix)
            nib.save(image, folder / f"sub-{p:02d}_task-{task}_{ENTITIES}")
    (root / "participants.tsv").write_text("\n".join(rows) + "\n")
    return root
