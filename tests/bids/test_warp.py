import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import nibabel as nib
import numpy as np
import pytest

from fmridecode.bids import templateflow
from fmridecode.bids.classes import plan_examples
from fmridecode.bids.maps import PreparedMaps, prepare
from fmridecode.bids.query import find_maps
from fmridecode.bids.resampling import resample
from fmridecode.bids.settings import InputConfig, SpaceConfig
from fmridecode.bids.templateflow import TemplateFlow
from fmridecode.bids.templates import Template
from fmridecode.bids.warp import warp
from fmridecode.errors import BadDataError, UsageError

from .conftest import AFFINE, SHAPE, SPACE

OTHER = "MNI152NLin6Asym"
FLIP = np.diag([-1.0, -1.0, 1.0])  # from RAS+, which we use, to LPS+, which ITK does
SHIFT = np.array([6.0, -4.0, 3.0])
MATRIX = np.array([[1.0, 0.1, 0.0], [-0.1, 0.9, 0.0], [0.0, 0.05, 1.1]])
OFFSET = np.array([1.0, 2.0, -3.0])


def write_transform(
    path: Path,
    *,
    shift: np.ndarray = SHIFT,
    matrix: np.ndarray | None = MATRIX,
    offset: np.ndarray = OFFSET,
) -> Path:
    """Write ITK's composite file as antsRegistration does: first an affine, then a field.

    ITK applies the last one first: a point x of the target goes to ``matrix (x + shift) + offset``
    of the source, all in RAS+ here and in LPS+ in the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    shape = (14, 14, 14)
    field = np.zeros((3, *shape))
    field[:] = (FLIP @ shift)[:, None, None, None]
    origin, spacing = FLIP @ np.array([-60.0, -60, -60]), np.full(3, 9.0)
    fixed = np.concatenate([shape, origin, spacing, (FLIP @ np.eye(3)).ravel()])
    with h5py.File(path, "w") as file:
        group = file.create_group("TransformGroup")
        whole = group.create_group("0")
        whole["TransformType"] = np.array([b"CompositeTransform_double_3_3"])
        if matrix is not None:
            affine = group.create_group("1")
            affine["TransformType"] = np.array([b"AffineTransform_double_3_3"])
            parameters = np.concatenate([(FLIP @ matrix @ FLIP).ravel(), FLIP @ offset])
            affine["TransformParameters"] = parameters
            affine["TransformFixedParameters"] = np.zeros(3)
        warped = group.create_group("2" if matrix is not None else "1")
        warped["TransformType"] = np.array([b"DisplacementFieldTransform_double_3_3"])
        warped["TransformParameters"] = np.reshape(field, -1, order="F")
        warped["TransformFixedParameters"] = fixed
    return path


def blob(points: np.ndarray) -> np.ndarray:
    return np.exp(-((points - [4.0, 8, 0]) ** 2).sum(axis=-1) / (2 * 14.0**2))


def world(shape: tuple[int, ...], affine: np.ndarray) -> np.ndarray:
    indices = np.moveaxis(np.indices(shape), 0, -1)
    return np.asarray(indices @ affine[:3, :3].T + affine[:3, 3])


def source() -> tuple[np.ndarray, np.ndarray]:
    affine = np.array([[-3.0, 0, 0, 75], [0, 3, 0, -75], [0, 0, 3, -75], [0, 0, 0, 1]])
    return blob(world((51, 51, 51), affine)).astype(np.float32), affine


def test_a_known_displacement_comes_out(tmp_path: Path, template: Template) -> None:
    path = write_transform(tmp_path / "xfm.h5", matrix=None)
    values, there = warp(*source(), template.grid, path)
    expected = blob(world(SHAPE, AFFINE) + SHIFT)
    assert there.all()
    np.testing.assert_allclose(values, expected, atol=2e-3)


def test_the_displacement_comes_before_the_affine(tmp_path: Path, template: Template) -> None:
    values, _ = warp(*source(), template.grid, write_transform(tmp_path / "xfm.h5"))
    expected = blob((world(SHAPE, AFFINE) + SHIFT) @ MATRIX.T + OFFSET)
    np.testing.assert_allclose(values, expected, atol=2e-3)
    swapped = blob(world(SHAPE, AFFINE) @ MATRIX.T + OFFSET + SHIFT)
    assert np.abs(values - swapped).max() > 0.01


def test_an_identity_is_the_same_as_resampling(tmp_path: Path, template: Template) -> None:
    path = write_transform(tmp_path / "xfm.h5", shift=np.zeros(3), matrix=None)
    data, affine = source()
    data[:20] = np.nan
    values, there = warp(data, affine, template.grid, path)
    expected, expected_there = resample(data, affine, template.grid)
    np.testing.assert_array_equal(there, expected_there)
    np.testing.assert_allclose(values, expected, atol=2e-3)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TEMPLATEFLOW_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / f"tpl-{SPACE}/tpl-{SPACE}_from-{OTHER}_mode-image_xfm.h5"


@pytest.fixture
def root(dataset: Callable[..., Path]) -> Path:
    root = dataset()
    data, affine = source()
    rng = np.random.default_rng(0)
    for task, space in (("a", OTHER), ("b", SPACE)):
        path = root / f"sub-01/sub-01_task-{task}_space-{space}_statmap.nii.gz"
        path.parent.mkdir(exist_ok=True)
        nib.save(nib.Nifti1Image(data + rng.normal(0, 0.01, data.shape), affine), path)
    return root


def prepared(root: Path, template: Template, **space: Any) -> PreparedMaps:
    config = InputConfig()
    return prepare(
        plan_examples(find_maps(root, config), config),
        template,
        inputs=config,
        space=SpaceConfig(resolution=8, **space),
        work_dir=root.parent / "work",
    )


def test_maps_of_another_space_are_warped_and_say_so(
    root: Path, template: Template, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    write_transform(home)
    made = prepared(root, template)
    assert [e.transforms for e in made.maps.examples] == [(home.name,), ()]
    assert f"Maps in {OTHER} are warped to {SPACE}" in caplog.text
    warped, plain = made.maps.values
    assert np.corrcoef(warped.ravel(), plain.ravel())[0, 1] < 0.98
    first = np.array(warped)
    write_transform(home, shift=-SHIFT)
    assert not np.array_equal(first, prepared(root, template).maps.values[0])  # not from the cache


def test_without_a_transform_the_remedy_is_named(
    root: Path, template: Template, home: Path
) -> None:
    with pytest.raises(UsageError, match=r"download https://.*_xfm\.h5 to .*--force-space") as e:
        prepared(root, template)
    assert "\n" not in str(e.value)


def test_force_space_warps_nothing(root: Path, template: Template, home: Path) -> None:
    write_transform(home)
    made = prepared(root, template, force_space=True)
    assert made.spaces.forced == (OTHER,)
    assert [e.transforms for e in made.maps.examples] == [(), ()]


def test_a_transform_is_fetched_and_kept(
    root: Path, template: Template, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    content = write_transform(tmp_path / "there.h5").read_bytes()
    monkeypatch.setattr(templateflow, "fetch", lambda url: (content, "0123-14"))
    prepared(root, template)
    assert home.read_bytes() == content


def test_a_damaged_transform_is_one_line(tmp_path: Path, template: Template) -> None:
    path = write_transform(tmp_path / "xfm.h5")
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(BadDataError, match="cannot be read as a composite transform") as raised:
        warp(*source(), template.grid, path)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("space", ["../../etc", "/etc", "T1w", "MNI152NLin6"])
def test_no_other_name_makes_a_path(tmp_path: Path, space: str) -> None:
    flow = TemplateFlow(home=tmp_path)
    assert flow.find_transform(space, SPACE) is None
    assert flow.find_transform(SPACE, space) is None
