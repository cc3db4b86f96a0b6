import numpy as np
import pytest

from fmridecode.bids.resampling import _by_nilearn, resample
from fmridecode.bids.separable import separable
from fmridecode.core.grid import Grid, as_rows

RNG = np.random.default_rng(0)
SOURCE = (17, 14, 19)
FINE = np.array([[2.0, 0, 0, -16], [0, 2, 0, -14], [0, 0, 2, -18], [0, 0, 0, 1]])
FLIPPED = FINE @ np.array([[-1.0, 0, 0, 16], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
SWAPPED = FINE[:, [1, 2, 0, 3]]
ANISOTROPIC = FINE @ np.diag([1.1, 0.8, 1.5, 1])
TARGET = np.array([[1.7, 0, 0, -13.3], [0, 2.6, 0, -15], [0, 0, 2, -20.1], [0, 0, 0, 1]])


def grid(affine: np.ndarray = TARGET, shape: tuple[int, ...] = (18, 13, 20)) -> Grid:
    return Grid(shape=shape, affine=as_rows(affine), space="x", resolution="02")


@pytest.mark.parametrize("target", [TARGET, TARGET[:, [2, 0, 1, 3]]], ids=["plain", "permuted"])
@pytest.mark.parametrize(
    "affine",
    [FINE, FLIPPED, SWAPPED, ANISOTROPIC],
    ids=["plain", "flipped", "swapped", "anisotropic"],
)
def test_resampling_along_the_axes_is_nilearns_continuous_resampling(
    affine: np.ndarray, target: np.ndarray
) -> None:
    data = RNG.normal(size=SOURCE).astype(np.float32)
    along = separable(SOURCE, affine, grid(target).shape, target)
    assert along is not None
    found = along(data)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, _by_nilearn(data, affine, grid(target)), atol=5e-6)
    assert (found == 0).any()  # the target reaches beyond the source


@pytest.mark.parametrize("turn", [0.3, 0.001])
def test_grids_that_are_turned_against_each_other_are_left_to_nilearn(turn: float) -> None:
    rotation = np.eye(4)
    rotation[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    assert separable(SOURCE, rotation @ FINE, grid().shape, TARGET) is None


def test_a_grid_resampled_to_itself_keeps_its_values() -> None:
    data = RNG.normal(size=SOURCE).astype(np.float32)
    same = separable(SOURCE, FINE, SOURCE, FINE)
    assert same is not None
    np.testing.assert_allclose(same(data), data, atol=5e-6)


def test_a_voxel_half_way_between_data_and_none_has_data_on_either_path() -> None:
    """The presence is one half up to rounding, which must not decide."""
    data = np.ones((16, 6, 6), dtype=np.float32)
    data[8:] = 0
    shifted = FINE + np.eye(4, k=3) * [[1], [0], [0], [0]]  # by half a voxel
    _, there = resample(data, FINE, grid(shifted, (15, 6, 6)))
    assert there[:8].all()
    assert not there[8:].any()
