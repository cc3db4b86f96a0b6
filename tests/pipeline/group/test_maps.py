import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from fmridecode.bids.saliency_files import write_map
from fmridecode.config import RunConfig
from fmridecode.core.grid import Grid
from fmridecode.errors import BadDataError
from fmridecode.pipeline.group.maps import write_group_maps

NAME = "task-emotion_space-MNI152NLin2009cAsym_res-08_desc-gradientToEmotion_saliency"
AFFINE = tuple(map(tuple, np.diag([8.0, 8.0, 8.0, 1.0]).tolist()))


def write(
    out: Path, who: str, value: float, *, session: str = "", seen: bool = False, size: int = 3
) -> None:
    grid = Grid(shape=(size,) * 3, affine=AFFINE, space="MNI152NLin2009cAsym", resolution="08")
    middle = f"{who}_ses-{session}" if session else who
    path = out / who / (f"ses-{session}" if session else "") / "func" / f"{middle}_{NAME}.nii.gz"
    write_map(
        path,
        np.full(grid.shape, value),
        grid=grid,
        mask=np.ones(grid.shape, dtype=bool),
        sidecar={"Description": "A map.", "TrainedOnParticipant": seen, "Sign": "Positive."},
    )


def test_the_group_map_is_the_mean_of_the_participants_maps(whole: Path) -> None:
    group = nib.load(whole / f"group_{NAME}.nii.gz")
    maps = [nib.load(path).get_fdata() for path in whole.glob(f"sub-*/func/sub-*_{NAME}.nii.gz")]
    assert len(maps) == 9
    assert np.allclose(group.get_fdata(), np.mean(maps, axis=0), atol=1e-5)
    assert json.loads((whole / f"group_{NAME}.json").read_text())["NumberOfParticipants"] == 9


def test_sessions_of_a_participant_count_once(tmp_path: Path) -> None:
    write(tmp_path, "sub-1", 1.0, session="a")
    write(tmp_path, "sub-1", 3.0, session="b")
    write(tmp_path, "sub-2", 6.0)
    (path,) = write_group_maps(tmp_path, RunConfig())
    assert np.allclose(nib.load(path).get_fdata(), 4.0)


def test_maps_of_decoders_that_saw_the_participant_do_not_count(tmp_path: Path) -> None:
    write(tmp_path, "sub-1", 1.0)
    write(tmp_path, "sub-2", 9.0, seen=True)
    (path,) = write_group_maps(tmp_path, RunConfig())
    assert np.allclose(nib.load(path).get_fdata(), 1.0)


def test_a_group_map_whose_members_are_gone_is_removed(tmp_path: Path) -> None:
    write(tmp_path, "sub-1", 1.0)
    (path,) = write_group_maps(tmp_path, RunConfig())
    shutil.rmtree(tmp_path / "sub-1")
    assert write_group_maps(tmp_path, RunConfig()) == []
    assert not path.exists()


def test_maps_of_two_grids_are_not_averaged(tmp_path: Path) -> None:
    write(tmp_path, "sub-1", 1.0)
    write(tmp_path, "sub-2", 1.0, size=4)
    with pytest.raises(BadDataError, match="lies on another grid"):
        write_group_maps(tmp_path, RunConfig())
