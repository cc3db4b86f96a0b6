import numpy as np
import pytest

from fmridecode.bids.resampling import present_in, resample
from fmridecode.core.grid import Grid, as_rows

FINE = np.array([[2.0, 0, 0, -20], [0, 2, 0, -20], [0, 0, 2, -20], [0, 0, 0, 1]])
COARSE = np.array([[4.0, 0, 0, -18], [0, 4, 0, -18], [0, 0, 4, -18], [0, 0, 0, 1]])


def grid(affine: np.ndarray, shape: tuple[int, ...] = (9, 9, 9)) -> Grid:
    return Grid(shape=shape, affine=as_rows(affine), space="x", resolution="02")


def smooth(affine: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A smooth function of the place in the world, sampled on a grid."""
    voxels = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1)
    x, y, z = np.moveaxis(voxels @ affine[:3, :3].T + affine[:3, 3], -1, 0)
    return (3 + np.cos(x / 9) + np.sin(y / 11) + z / 30).astype(np.float32)


def test_a_map_on_the_grid_is_not_touched() -> None:
    data = np.random.default_rng(0).normal(size=(9, 9, 9)).astype(np.float32)
    values, present = resample(data, COARSE, grid(COARSE))
    np.testing.assert_array_equal(values, data)
    assert present.all()


def test_missing_is_nan_infinite_or_exactly_zero() -> None:
    data = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-30], dtype=np.float32)
    assert present_in(data).tolist() == [False] * 5 + [True]


FLIPPED = FINE @ np.array([[-1.0, 0, 0, 20], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
SWAPPED = FINE[:, [1, 2, 0, 3]]
TURN = np.eye(4)
TURN[:2, :2] = [[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]]


@pytest.mark.parametrize(
    "affine", [FINE, FLIPPED, SWAPPED, TURN @ FINE], ids=["same", "flipped", "swapped", "oblique"]
)
def test_a_voxel_keeps_its_place_in_the_world(affine: np.ndarray) -> None:
    target = grid(COARSE)
    values, present = resample(smooth(affine, (21, 21, 21)), affine, target)
    inner = np.zeros(target.shape, dtype=bool)
    inner[3:-3, 3:-3, 3:-3] = True
    assert present[inner].all()
    np.testing.assert_allclose(values[inner], smooth(COARSE, target.shape)[inner], atol=0.02)


@pytest.mark.parametrize("missing", [np.nan, np.inf, 0.0])
def test_missing_voxels_do_not_bleed_into_their_neighbours(missing: float) -> None:
    data = np.full((21, 21, 21), 5.0, dtype=np.float32)
    data[:10] = missing
    values, present = resample(data, FINE, grid(COARSE + np.eye(4, k=3) * 0.7))
    assert 0 < present.sum() < present.size
    np.testing.assert_allclose(values[present], 5.0, atol=1e-3)
    assert not values[~present].any()


def test_outside_the_field_of_view_nothing_is_present() -> None:
    far = FINE + 1000 * np.eye(4, k=3) * np.array([1, 0, 0, 0])[:, None]
    _, present = resample(np.ones((21, 21, 21), dtype=np.float32), far, grid(COARSE))
    assert not present.any()
