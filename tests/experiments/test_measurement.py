from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kurtosis

from fmridecode.core.grid import Grid, as_rows
from fmridecode.experiments.individuals import Individual, individuals
from fmridecode.experiments.measurement import _coarse, _stretched, distorted, field_of_view
from fmridecode.experiments.study import SimulationConfig
from fmridecode.experiments.variety import Acquisition

GRID = Grid(
    shape=(25, 29, 25),
    affine=as_rows(np.array([[8, 0, 0, -96], [0, 8, 0, -132], [0, 0, 8, -78], [0, 0, 0, 1.0]])),
    space="MNI152NLin2009cAsym",
    resolution="8",
)
MASK = np.zeros(GRID.shape, dtype=np.bool_)
MASK[3:-3, 3:-3, 3:-3] = True


def _person(acquisition: Acquisition) -> Individual:
    (person,) = individuals(SimulationConfig(participants=1))
    return replace(person, acquisition=acquisition)


def _seen(acquisition: Acquisition) -> NDArray[np.bool_]:
    return field_of_view(GRID, MASK, _person(acquisition))


def _noise(acquisition: Acquisition, seed: int = 0) -> NDArray[np.float32]:
    white = np.random.default_rng(seed).standard_normal(GRID.shape, dtype=np.float32)
    return distorted(white, GRID, _person(acquisition), (0, 1))


def test_a_plain_acquisition_sees_the_whole_mask_and_leaves_the_noise_as_it_is() -> None:
    assert np.array_equal(_seen(Acquisition()), MASK)
    white = np.random.default_rng(0).standard_normal(GRID.shape, dtype=np.float32)
    assert np.array_equal(_noise(Acquisition()), white)


def test_cuts_and_a_margin_shave_planes_off() -> None:
    below = MASK & ~_seen(Acquisition(cut_below=16.0))
    assert np.flatnonzero(below.any((0, 1))).tolist() == [3, 4]
    above = MASK & ~_seen(Acquisition(cut_above=8.0))
    assert np.flatnonzero(above.any((0, 1))).tolist() == [GRID.shape[2] - 4]
    inner = np.zeros_like(MASK)
    inner[4:-4, 4:-4, 4:-4] = True
    assert np.array_equal(_seen(Acquisition(margin=8.0)), inner)


def test_a_loss_is_a_ball_that_moves_with_the_brain() -> None:
    def middle(*more: Sequence[float]) -> NDArray[np.float64]:
        shift = tuple(more[0]) if more else (0.0, 0.0, 0.0)
        lost = MASK & ~_seen(Acquisition(losses=(((0.0, 4.0, 2.0), 20.0),), displacement=shift))
        voxels = np.argwhere(lost)
        assert len(voxels) * 8**3 == pytest.approx(4 / 3 * np.pi * 20**3, rel=0.25)
        return GRID.matrix[:3, :3] @ voxels.mean(axis=0) + GRID.matrix[:3, 3]

    np.testing.assert_allclose(middle(), (0, 4, 2), atol=1)
    np.testing.assert_allclose(middle((8.0, 0.0, -8.0)), (8, 4, -6), atol=1)


def test_tails_are_heavier_above_one_and_lighter_below() -> None:
    light, plain, heavy = (
        float(kurtosis(_noise(Acquisition(tails=tails)).ravel())) for tails in (0.8, 1.0, 1.6)
    )
    assert light < plain - 0.2 < plain + 1 < heavy


def test_uneven_noise_has_a_spread_that_differs_between_places() -> None:
    def spread(acquisition: Acquisition) -> float:
        noise = _noise(acquisition)[:24, :28, :24].reshape(4, 6, 4, 7, 4, 6)
        return float(np.log(noise.std(axis=(1, 3, 5))).std())

    assert spread(Acquisition(uneven=0.5)) > 3 * spread(Acquisition())


def test_drifts_are_slow_and_relative_to_the_noise() -> None:
    drift = _noise(Acquisition(slow=1.0)) - _noise(Acquisition())
    assert 0.3 < drift.std() < 3
    assert np.diff(drift, axis=0).std() < 0.25 * drift.std()


def test_a_group_has_less_noise() -> None:
    np.testing.assert_allclose(
        _noise(Acquisition(noise=0.2)), np.float32(0.2) * _noise(Acquisition())
    )


def test_wide_fields_are_drawn_coarsely_and_interpolated_without_kinks() -> None:
    fine = replace(GRID, affine=as_rows(GRID.matrix @ np.diag([0.5, 0.5, 0.5, 1])))
    coarse = _coarse(fine)
    assert coarse.shape == (7, 8, 7)
    x = np.arange(7, dtype=np.float32)[:, None, None] * np.ones(coarse.shape, dtype=np.float32)
    np.testing.assert_allclose(_stretched(x, fine)[:, 3, 3], np.arange(25) / 4, rtol=1e-6)
