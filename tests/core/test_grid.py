import numpy as np
import pytest

from fmridecode.core.grid import Grid, as_rows

AFFINE = np.array([[-2.0, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])
GRID = Grid(shape=(91, 109, 91), affine=as_rows(AFFINE), space="MNI152NLin6Asym", resolution="02")


def test_the_rows_of_an_affine_are_that_affine_again():
    np.testing.assert_array_equal(GRID.matrix, AFFINE)
    assert hash(GRID) == hash(GRID)


def moved(by):
    affine = AFFINE.copy()
    affine[0, 3] += by
    return affine


@pytest.mark.parametrize(
    ("shape", "affine", "same"),
    [
        ((91, 109, 91), AFFINE, True),
        ((91, 109, 91), moved(1e-5), True),
        ((91, 109, 91), moved(0.01), False),
        ((91, 109, 90), AFFINE, False),
        ((91, 109, 91), AFFINE @ np.diag([-1.0, 1, 1, 1]), False),
    ],
    ids=["itself", "rounding", "moved by 0.01 mm", "other shape", "flipped"],
)
def test_a_grid_equals_only_its_own_shape_and_affine(shape, affine, same):
    assert GRID.equals(shape, affine) == same
