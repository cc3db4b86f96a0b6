import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from fmridecode.core.origin import Usual
from fmridecode.core.typicality import FLOORS, fwhm, unlike, usual

SHAPE = (48, 48, 48)
FULL = np.ones(SHAPE, dtype=np.bool_)


@pytest.mark.parametrize("sigma", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("size", [2.0, 4.0])
def test_the_smoothness_of_smoothed_noise_is_that_of_the_filter(sigma: float, size: float) -> None:
    noise = np.random.default_rng(0).standard_normal(SHAPE)
    found = fwhm(gaussian_filter(noise, sigma, mode="wrap"), FULL, (size,) * 3)
    assert found == pytest.approx(sigma * size * np.sqrt(8 * np.log(2)), rel=0.06)


def test_smoothness_differs_over_axes_by_the_geometric_mean() -> None:
    noise = np.random.default_rng(0).standard_normal(SHAPE)
    found = fwhm(gaussian_filter(noise, (1, 2, 2), mode="wrap"), FULL, (1, 1, 1))
    assert found == pytest.approx((1 * 2 * 2) ** (1 / 3) * np.sqrt(8 * np.log(2)), rel=0.06)


def test_smoothness_does_not_see_scale_nor_missing_voxels() -> None:
    noise = np.random.default_rng(0).standard_normal(SHAPE)
    x = gaussian_filter(noise, 1.5)
    whole = fwhm(x, FULL, (1, 1, 1))
    assert fwhm(100 * x, FULL, (1, 1, 1)) == pytest.approx(whole)
    x[:20] = 0
    assert fwhm(x, FULL, (1, 1, 1)) == pytest.approx(whole, rel=0.05)
    assert np.isnan(fwhm(np.zeros(SHAPE), FULL, (1, 1, 1)))


def test_the_usual_is_median_and_scaled_median_absolute_deviation() -> None:
    values = np.random.default_rng(0).normal(9.0, 2.0, 10_001)
    values[0] = np.nan
    found = usual({"fwhm": values, "log10_sd": np.full(3, np.nan)})
    assert [each.statistic for each in found] == ["fwhm"]
    assert found[0].median == pytest.approx(9.0, abs=0.1)
    assert found[0].spread == pytest.approx(2.0, rel=0.05)


def test_the_distance_is_the_largest_in_spreads_and_names_its_statistic() -> None:
    training = (
        Usual(statistic="fwhm", median=10.0, spread=2.0),
        Usual(statistic="negative", median=0.5, spread=0.1),
    )
    statistics = {"fwhm": np.array([10.0, 4.0, np.nan]), "negative": np.array([0.8, 0.5, np.nan])}
    distances, names = unlike(statistics, training)
    np.testing.assert_allclose(distances, [3.0, 3.0, np.nan])
    assert names == ("negative", "fwhm", "")


def test_training_maps_that_all_agree_do_not_make_every_other_map_a_stranger() -> None:
    same = usual({"overlap": np.ones(5)})
    distances, _ = unlike({"overlap": np.array([0.98])}, same)
    assert distances[0] == pytest.approx(0.02 / FLOORS["overlap"])


def test_a_decoder_that_remembers_nothing_says_nothing() -> None:
    distances, names = unlike({"fwhm": np.array([1.0, 2.0])}, ())
    assert np.isnan(distances).all()
    assert names == ("", "")
