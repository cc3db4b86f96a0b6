import hashlib
import logging
import shutil
import threading
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from fmridecode.bids import download, templateflow
from fmridecode.bids.settings import SpaceConfig
from fmridecode.bids.templateflow import TemplateFlow
from fmridecode.bids.templates import target_grid
from fmridecode.errors import NoInputError, TryAgainError, UsageError

SPACE = "MNI152NLin2009cAsym"
MASK = f"tpl-{SPACE}/tpl-{SPACE}_res-02_desc-brain_mask.nii.gz"
SHAPE = (97, 115, 97)
AFFINE = np.array([[2, 0, 0, -96.5], [0, 2, 0, -132.5], [0, 0, 2, -78.5], [0, 0, 0, 1]])


@pytest.fixture
def flow(tmp_path: Path) -> TemplateFlow:
    return TemplateFlow(home=tmp_path / "templateflow")


def mask_bytes(shape: tuple[int, ...] = SHAPE) -> bytes:
    mask = np.zeros(shape, dtype=np.uint8)
    mask[20:60, 30:70, 30:70] = 1
    image = nib.Nifti1Image(mask, AFFINE)
    return bytes(image.to_bytes())


def store(flow: TemplateFlow, content: bytes, path: str = MASK) -> Path:
    full = flow.home / path
    full.parent.mkdir(parents=True, exist_ok=True)
    full.write_bytes(content)
    return full


def know(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    known = {MASK: hashlib.md5(content, usedforsecurity=False).hexdigest()}
    monkeypatch.setattr(templateflow, "known_md5", lambda: known)


@pytest.mark.parametrize(
    ("resolution", "shape", "label"),
    [
        (1, (193, 229, 193), "01"),
        (2, SHAPE, "02"),
        (4, (49, 58, 49), "04"),
        (8, (25, 29, 25), "08"),
    ],
)
def test_without_a_network_metadata_give_the_grid_and_a_stand_in_the_mask(
    flow: TemplateFlow, resolution: int, shape: tuple[int, ...], label: str
) -> None:
    found = target_grid(SpaceConfig(resolution=resolution), templateflow=flow)
    assert (found.grid.shape, found.grid.resolution, found.grid.space) == (shape, label, SPACE)
    assert found.mask.shape == shape
    assert found.grid.matrix[0, 0] == resolution
    assert not found.verified
    assert "stand-in" in found.mask_source
    assert "MNI152NLin2009aSym" in found.mask_source
    volume = found.mask.sum() * resolution**3 / 1e6
    assert volume == pytest.approx(1.88, abs=0.03)  # litres


def test_coarse_grids_are_voxels_of_the_2_mm_grid(flow: TemplateFlow) -> None:
    fine = target_grid(SpaceConfig(resolution=2), templateflow=flow)
    for resolution in (4, 8):
        coarse = target_grid(SpaceConfig(resolution=resolution), templateflow=flow)
        step = resolution // 2
        np.testing.assert_array_equal(coarse.mask, fine.mask[::step, ::step, ::step])
        np.testing.assert_array_equal(coarse.grid.matrix[:, 3], fine.grid.matrix[:, 3])


def test_the_remedy_names_the_file_its_address_and_its_place(
    flow: TemplateFlow, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    target_grid(SpaceConfig(), templateflow=flow)
    assert f"download {flow.url(MASK)} to {flow.home / MASK}" in caplog.text
    assert not flow.home.exists()


def test_a_verified_file_is_used(flow: TemplateFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    content = mask_bytes()
    know(monkeypatch, content)
    store(flow, content)
    found = target_grid(SpaceConfig(), templateflow=flow)
    assert found.verified
    assert found.mask.sum() == 40**3
    assert "MD5 verified" in found.mask_source


def test_a_file_of_unknown_md5_is_used_and_said_to_be_unverified(
    flow: TemplateFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templateflow, "known_md5", dict)
    store(flow, mask_bytes())
    found = target_grid(SpaceConfig(), templateflow=flow)
    assert not found.verified
    assert "not verified" in found.mask_source


@pytest.mark.parametrize("content", [b"", b"<Error>AccessDenied</Error>", mask_bytes()[:5000]])
def test_stubs_and_damaged_files_are_not_used(flow: TemplateFlow, content: bytes) -> None:
    store(flow, content)
    assert "stand-in" in target_grid(SpaceConfig(), templateflow=flow).mask_source


def test_a_file_of_another_shape_is_not_used(
    flow: TemplateFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(templateflow, "known_md5", dict)
    store(flow, mask_bytes((70, 80, 90)))
    assert "stand-in" in target_grid(SpaceConfig(), templateflow=flow).mask_source


def test_a_missing_file_is_fetched_checked_and_kept(
    flow: TemplateFlow, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = mask_bytes()
    know(monkeypatch, content)
    monkeypatch.setattr(templateflow, "fetch", lambda url: (content, ""))
    store(flow, b"")  # TemplateFlow's stub
    assert target_grid(SpaceConfig(), templateflow=flow).verified
    assert (flow.home / MASK).read_bytes() == content


def test_a_wrong_download_is_not_kept(flow: TemplateFlow, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, mask_bytes())
    monkeypatch.setattr(templateflow, "fetch", lambda url: (b"<html>log in</html>", "abc"))
    assert "stand-in" in target_grid(SpaceConfig(), templateflow=flow).mask_source
    assert not (flow.home / MASK).exists()


def test_a_home_that_cannot_be_written_to_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    flow = TemplateFlow(home=tmp_path / "file" / "home")
    know(monkeypatch, mask_bytes())
    monkeypatch.setattr(templateflow, "fetch", lambda url: (mask_bytes(), ""))
    assert "stand-in" in target_grid(SpaceConfig(), templateflow=flow).mask_source


def test_unknown_names_get_the_nearest(flow: TemplateFlow) -> None:
    with pytest.raises(UsageError, match=r"did you mean .*MNI152NLin6Asym"):
        target_grid(SpaceConfig(space="MNI152NLin6"), templateflow=flow)
    with pytest.raises(UsageError, match=r"known are MNI152Lin"):
        target_grid(SpaceConfig(space="../../etc"), templateflow=flow)
    with pytest.raises(UsageError, match="1 or 2 mm are needed"):
        target_grid(SpaceConfig(space="WHS"), templateflow=flow)


def test_other_mni_templates_work_alike(flow: TemplateFlow) -> None:
    found = target_grid(SpaceConfig(space="MNI152NLin6Asym"), templateflow=flow)
    assert found.grid.shape == (91, 109, 91)
    finer = target_grid(SpaceConfig(space="MNI152NLin2009aAsym"), templateflow=flow)
    assert finer.grid.shape == SHAPE  # every second voxel of 1 mm


def test_no_mni_brain_stands_in_for_another_one(flow: TemplateFlow) -> None:
    with pytest.raises(NoInputError, match="download https"):
        target_grid(SpaceConfig(space="OASIS30ANTs"), templateflow=flow)


def test_a_network_that_swallows_everything_costs_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(download, "_work", lambda *_: release.wait(10))
    start = time.monotonic()
    with pytest.raises(TryAgainError, match="did not answer within"):
        download.fetch("https://example.org/x", seconds=0.2)
    assert time.monotonic() - start < 2
    release.set()


def test_no_network_is_one_line() -> None:
    with pytest.raises(TryAgainError, match="cannot be reached") as raised:
        download.fetch("http://127.0.0.1:9/x")
    assert "\n" not in str(raised.value)


@pytest.mark.realdata
def test_the_real_mask_is_verified(realdata: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(realdata / "templateflow", home)
    flow = TemplateFlow(home=home, online=False)
    found = target_grid(SpaceConfig(), templateflow=flow)
    assert found.verified
    assert found.mask.sum() == 235840
    assert found.underlay is not None
    assert found.underlay.name == f"tpl-{SPACE}_res-02_desc-brain_T1w.nii.gz"
    stand_in = target_grid(SpaceConfig(), templateflow=TemplateFlow(home=tmp_path, online=False))
    assert stand_in.grid == found.grid
    both = (stand_in.mask & found.mask).sum()
    assert 2 * both / (stand_in.mask.sum() + found.mask.sum()) > 0.95  # Dice
