import numpy as np
import pytest

from fmridecode.core.grid import Grid, as_rows
from fmridecode.experiments.fields import FWHM_PER_SIGMA, REACH, add_blob, smooth, voxel_sizes


def _grid(size: int, *, voxel: float) -> Grid:
    affine = np.diag([-voxel, voxel, voxel, 1.0])
    affine[:3, 3] = (voxel * (size // 2), -voxel * (size // 2), -voxel * (size // 2))
    return Grid(shape=(size,) * 3, affine=as_rows(affine), space="MNI", resolution="x")


def test_voxel_sizes_do_not_depend_on_direction() -> None:
    assert voxel_sizes(_grid(5, voxel=4)).tolist() == [4, 4, 4]


def test_a_blob_is_a_gaussian_that_ends_at_its_reach() -> None:
    grid, target = _grid(21, voxel=2), np.zeros((21, 21, 21), dtype=np.float32)
    centre, fwhm = (3.0, -2.0, 5.0), 10.0
    add_blob(target, grid, centre=centre, fwhm=fwhm, height=2.0)
    index = np.indices(grid.shape).reshape(3, -1)
    world = grid.matrix[:3, :3] @ index + grid.matrix[:3, 3:]
    distance = np.linalg.norm(world - np.reshape(centre, (3, 1)), axis=0).reshape(grid.shape)
    sigma = fwhm / FWHM_PER_SIGMA
    expected = 2 * np.exp(-(distance**2) / (2 * sigma**2))
    expected[distance > REACH * sigma] = 0
    np.testing.assert_allclose(target, expected, atol=1e-6)


def test_a_blob_beside_the_grid_leaves_the_map_as_it_was() -> None:
    target = np.zeros((5, 5, 5), dtype=np.float32)
    add_blob(target, _grid(5, voxel=4), centre=(200.0, 0.0, -200.0), fwhm=10.0, height=1.0)
    assert not target.any()


@pytest.mark.parametrize("fwhm", [0.0, 5.0, 12.0])
def test_smooth_noise_keeps_unit_sd(fwhm: float) -> None:
    white = np.random.default_rng(0).standard_normal((48, 48, 48), dtype=np.float32)
    assert smooth(white, _grid(48, voxel=4), fwhm=fwhm).std() == pytest.approx(1, abs=0.04)


def test_smooth_noise_has_the_autocorrelation_of_its_kernel() -> None:
    white = np.random.default_rng(1).standard_normal((48, 48, 48), dtype=np.float32)
    field, sigma = smooth(white, _grid(48, voxel=4), fwhm=16.0), 16.0 / FWHM_PER_SIGMA
    for lag in (1, 2):
        found = np.mean(field * np.roll(field, lag, axis=0)) / field.var()
        assert found == pytest.approx(np.exp(-((4 * lag) ** 2) / (4 * sigma**2)), abs=0.05)
