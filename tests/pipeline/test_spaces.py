"""What a run says of maps that were not in the space on which they are decoded."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from fmridecode.bids.derivatives import read_table

from .conftest import Job

SPACE, OTHER = "MNI152NLin2009cAsym", "MNI152NLin6Asym"
PEOPLE = ("01", "02", "03", "04")
QUICK = ("--saliency", "gradient", "--epochs", "1", "--folds", "2")
XFM = f"tpl-{SPACE}_from-{OTHER}_mode-image_xfm.h5"


@pytest.fixture
def bids(write_maps: Callable[..., Path], tmp_path: Path) -> Path:
    """Return a data set whose maps of one task are in another space than those of the other."""
    root = write_maps(tmp_path / "bids", PEOPLE, ("pain", "social"))
    for path in sorted(root.rglob("*task-pain*")):
        path.rename(path.with_name(path.name.replace(SPACE, OTHER)))
    return root


@pytest.fixture
def warping(job: Job, tmp_path: Path) -> Job:
    """Return a job that finds a transform, which moves nothing, in TemplateFlow's folder."""
    path = tmp_path / "home" / f"tpl-{SPACE}" / XFM
    path.parent.mkdir(parents=True)
    fixed = np.concatenate([(14.0,) * 3, (120.0, 120, -120), (20.0,) * 3, np.eye(3).ravel()])
    with h5py.File(path, "w") as file:
        group = file.create_group("TransformGroup")
        group.create_group("0")["TransformType"] = np.array([b"CompositeTransform_double_3_3"])
        field = group.create_group("1")
        field["TransformType"] = np.array([b"DisplacementFieldTransform_double_3_3"])
        field["TransformParameters"] = np.zeros(3 * 14**3)
        field["TransformFixedParameters"] = fixed
    return replace(job, home=tmp_path / "home")


def sidecars(out: Path) -> dict[str, tuple[bool, list[str]]]:
    """Return what the sidecars say of the spaces, by task."""
    found = {}
    for path in out.glob("sub-*/func/*_saliency.json"):
        said = json.loads(path.read_text())
        task = path.name.split("task-")[1].split("_")[0]
        found.setdefault(task, []).append((said["ForcedSpace"], said["SpaceTransforms"]))
    assert {len(each) for each in found.values()} == {len(PEOPLE)}
    assert all(each == same[0] for same in found.values() for each in same)
    return {task: same[0] for task, same in found.items()}


def test_every_sidecar_names_what_warped_its_map(bids: Path, warping: Job, tmp_path: Path) -> None:
    assert warping(bids, tmp_path / "out", "participant", *QUICK) == 0
    assert sidecars(tmp_path / "out") == {"pain": (False, [XFM]), "social": (False, [])}


def test_every_sidecar_says_that_the_space_was_forced(
    bids: Path, warping: Job, tmp_path: Path
) -> None:
    assert warping(bids, tmp_path / "out", "participant", *QUICK, "--force-space") == 0
    assert sidecars(tmp_path / "out") == {"pain": (True, []), "social": (True, [])}


def test_copies_in_another_space_are_not_used_and_stand_in_the_list(
    bids: Path, job: Job, tmp_path: Path
) -> None:
    for path in sorted(bids.rglob("*task-pain*")):
        path.with_name(path.name.replace(OTHER, SPACE)).write_bytes(path.read_bytes())
    assert job(bids, tmp_path / "out", "participant", *QUICK) == 0  # without any transform
    assert sidecars(tmp_path / "out") == {"pain": (False, []), "social": (False, [])}
    table = read_table(tmp_path / "out" / "logs" / "classes.tsv")
    left_out = table[table["space"] == OTHER]
    assert list(left_out["reason"]) == [f"the same map is there in {SPACE}"] * len(PEOPLE)
    assert table["class"].notna().sum() == 2 * len(PEOPLE)
