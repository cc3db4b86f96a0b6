from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fmridecode.bids.standardise import Source, standardise
from fmridecode.bids.templates import Template
from fmridecode.errors import BadDataError

from .conftest import SHAPE

WriteImage = Callable[..., Path]


def made(template: Template, *paths: Path, zscore: str = "brain") -> tuple[np.ndarray, float]:
    sources = [Source(path=path, weight=1 / len(paths)) for path in paths]
    out = standardise(sources, grid=template.grid, brain=template.mask, zscore=zscore)
    return out.values, out.missing


def noise(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(3, 2, size=SHAPE).astype(np.float32)


def test_a_map_has_mean_0_and_sd_1_in_the_brain_and_is_0_outside(
    template: Template, tmp_path: Path, write_image: WriteImage
) -> None:
    values, missing = made(template, write_image(tmp_path / "a.nii.gz", noise()))
    inside = values[template.mask]
    assert values.dtype == np.float32
    assert (inside.mean(), inside.std()) == pytest.approx((0, 1), abs=1e-6)
    assert not values[~template.mask].any()
    assert missing == 0


def test_missing_voxels_are_left_out_of_the_z_score_and_become_0(
    template: Template, tmp_path: Path, write_image: WriteImage
) -> None:
    data = noise()
    data[:4] = np.nan
    values, missing = made(template, write_image(tmp_path / "a.nii.gz", data))
    present = template.mask.copy()
    present[:4] = False
    assert values[present].std() == pytest.approx(1, abs=1e-6)
    assert not values[~present].any()
    assert missing == pytest.approx(1 - present.sum() / template.mask.sum())


def test_sources_are_averaged_before_the_z_score_where_all_have_data(
    template: Template, tmp_path: Path, write_image: WriteImage
) -> None:
    first, second = noise(1), noise(2) * 10
    second[2, 2, 2] = 0
    paths = [write_image(tmp_path / f"{i}.nii.gz", d) for i, d in enumerate((first, second))]
    values, _ = made(template, *paths)
    present = template.mask.copy()
    present[2, 2, 2] = False
    mean = ((first.astype(float) + second) / 2)[present]
    np.testing.assert_allclose(values[present], (mean - mean.mean()) / mean.std(), atol=1e-5)
    assert values[2, 2, 2] == 0


def test_volume_z_scores_the_whole_grid_background_included(
    template: Template, tmp_path: Path, write_image: WriteImage
) -> None:
    data = np.where(template.mask, noise(), 0)
    values, _ = made(template, write_image(tmp_path / "a.nii.gz", data), zscore="volume")
    np.testing.assert_allclose(values, (data - data.mean()) / data.std(), atol=1e-5)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda d, m: np.full_like(d, 2), "is constant"),
        (lambda d, m: np.full_like(d, np.nan), "has no data: every voxel"),
        (lambda d, m: np.where(m, 0, d), "no data in the brain mask"),
        (lambda d, m: np.where(m, 1, d), "is constant within the brain mask"),
    ],
)
def test_maps_that_cannot_be_z_scored_are_named(
    template: Template,
    tmp_path: Path,
    write_image: WriteImage,
    change: Callable[..., np.ndarray],
    problem: str,
) -> None:
    path = write_image(tmp_path / "a.nii.gz", change(noise(), template.mask))
    with pytest.raises(BadDataError, match=problem) as raised:
        made(template, path)
    assert str(path) in str(raised.value)
