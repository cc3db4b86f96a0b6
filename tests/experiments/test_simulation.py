from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score

from fmridecode.core.grid import Grid, as_rows
from fmridecode.errors import UsageError
from fmridecode.experiments import individuals
from fmridecode.experiments.simulation import SimulatedMap, simulate, truth
from fmridecode.experiments.study import SimulationConfig
from fmridecode.experiments.variety import Acquisition, Expression

GRID = Grid(
    shape=(24, 29, 24),
    affine=as_rows(np.array([[8, 0, 0, -96], [0, 8, 0, -132], [0, 0, 8, -78], [0, 0, 0, 1.0]])),
    space="MNI152NLin2009cAsym",
    resolution="8",
)


def _ellipsoid() -> NDArray[np.bool_]:
    x, y, z = (
        GRID.affine[i][i] * np.arange(n) + GRID.affine[i][3] for i, n in enumerate(GRID.shape)
    )
    x, y, z = np.ix_(x, y, z)
    return (x / 72) ** 2 + ((y + 18) / 88) ** 2 + ((z - 6) / 70) ** 2 <= 1


MASK = _ellipsoid()
SMALL = SimulationConfig(participants=2, classes=("motor", "social"), runs=2)
NO_NOISE = replace(
    SMALL,
    noise_participant=0.0,
    noise_task=0.0,
    noise_map=0.0,
    network_sd=0.0,
    baseline_sd=0.0,
)


def _maps(config: SimulationConfig) -> list[SimulatedMap]:
    return list(simulate(GRID, MASK, config))


def _correlations(maps: list[SimulatedMap]) -> NDArray[np.float64]:
    return np.corrcoef([each.values[MASK] for each in maps])


@pytest.fixture(scope="module")
def study() -> list[SimulatedMap]:
    return _maps(SimulationConfig(runs=2))


@pytest.fixture(scope="module")
def pairs(study: list[SimulatedMap]) -> dict[str, NDArray[np.float64]]:
    i, j = np.triu_indices(len(study), 1)
    r = _correlations(study)[i, j]
    participant, task, family = (
        np.array([getattr(each, name) for each in study])
        for name in ("participant", "task", "family")
    )
    self_, same, kin = (key[i] == key[j] for key in (participant, task, family))
    return {
        "same participant, same task": r[self_ & same],
        "same participant, other task": r[self_ & ~same],
        "other participant, same task": r[~self_ & same],
        "other participant, other task": r[~self_ & ~same],
        "relative, same task": r[~self_ & same & kin],
        "stranger, same task": r[~kin & same],
    }


def test_correlations_lie_where_those_of_real_maps_do(pairs) -> None:
    assert 0.09 <= pairs["other participant, same task"].mean() <= 0.23
    assert 0.09 <= pairs["stranger, same task"].mean() <= 0.23
    assert 0.45 <= pairs["same participant, same task"].mean() <= 0.64


def test_maps_of_other_tasks_resemble_each_other_less(pairs) -> None:
    between = pairs["other participant, other task"].mean()
    assert between < pairs["other participant, same task"].mean() - 0.05
    assert between < pairs["same participant, other task"].mean()
    assert pairs["same participant, other task"].mean() < 0.2


def test_relatives_share_more_than_strangers(pairs) -> None:
    assert pairs["relative, same task"].mean() > pairs["stranger, same task"].mean() + 0.05


def test_spatial_autocorrelation_falls_off_as_in_real_maps(study: list[SimulatedMap]) -> None:
    for lag, real in ((1, 0.65), (2, 0.31), (3, 0.16)):
        found = []
        for each in study[::12]:
            for axis, size in enumerate(GRID.shape):
                here, there = np.arange(lag, size), np.arange(size - lag)
                both = MASK.take(here, axis) & MASK.take(there, axis)
                ends = (each.values.take(index, axis)[both] for index in (here, there))
                found.append(np.corrcoef(*ends)[0, 1])
        assert np.mean(found) == pytest.approx(real, abs=0.05)


def test_share_of_negative_voxels_varies_as_in_real_maps(study: list[SimulatedMap]) -> None:
    share = np.array([(each.values[MASK] < 0).mean() for each in study])
    assert 0.4 < share.mean() < 0.55
    assert 0.1 < share.std() < 0.2


def test_a_linear_classifier_is_neither_at_chance_nor_perfect(study: list[SimulatedMap]) -> None:
    first = [each for each in study if each.run == 1]
    values = np.array([each.values[MASK] for each in first])
    values = (values - values.mean(1, keepdims=True)) / values.std(1, keepdims=True)
    accuracy = cross_val_score(
        LogisticRegression(C=1e-3, max_iter=1000),
        values,
        [each.task for each in first],
        groups=[each.family for each in first],
        cv=GroupKFold(5),
    ).mean()
    assert 0.75 <= accuracy <= 0.92


def test_the_same_seed_gives_identical_maps_and_another_seed_does_not() -> None:
    first, again, other = _maps(SMALL), _maps(SMALL), _maps(replace(SMALL, seed=1))
    for a, b, c in zip(first, again, other, strict=True):
        assert np.array_equal(a.values, b.values)
        assert np.array_equal(a.signal, b.signal)
        assert not np.array_equal(a.values, c.values)


@pytest.mark.parametrize(
    "more",
    [
        {"participants": 5},
        {"runs": 3},
        {"classes": ("emotion", "social", "motor")},
    ],
)
@pytest.mark.parametrize("variety", [0.0, 1.0])
def test_a_map_does_not_depend_on_what_else_is_simulated(
    more: dict[str, object], variety: float
) -> None:
    small = replace(SMALL, variety=variety)
    larger = {
        (each.participant, each.task, each.run): each for each in _maps(replace(small, **more))
    }
    for each in _maps(small):
        twin = larger[each.participant, each.task, each.run]
        assert np.array_equal(each.values, twin.values)
        assert each.family == twin.family


def test_without_noise_a_map_is_its_signal() -> None:
    for each in _maps(replace(NO_NOISE, variety=1.0, network_sd=0.0)):
        assert np.array_equal(each.values, each.signal)
        assert each.values.any()


def test_participants_who_do_not_vary_show_the_truth_of_the_population() -> None:
    same = replace(NO_NOISE, shift=0.0, extent_sd=0.0, amplitude_sd=0.0, gain_sd=0.0, dropout=0.0)
    true = {each.task: each.values for each in truth(GRID, MASK, same)}
    for each in _maps(same):
        np.testing.assert_allclose(each.signal, true[each.task], atol=1e-5)


def test_signal_is_the_same_in_every_run() -> None:
    first, second = _maps(replace(SMALL, participants=1, classes=("motor",)))
    assert np.array_equal(first.signal, second.signal)
    assert not np.array_equal(first.values, second.values)


def test_truth_is_zero_where_no_region_is_and_outside_the_mask() -> None:
    (motor,) = truth(GRID, MASK, replace(SMALL, classes=("motor",), common=0.0))
    frontal_pole = tuple(round((mm - GRID.affine[i][3]) / 8) for i, mm in enumerate((24, 58, 2)))
    assert MASK[frontal_pole]
    assert motor.values[frontal_pole] == 0
    assert not motor.values[~MASK].any()
    assert not motor.specific[~MASK].any()


def test_truth_peaks_at_the_primary_motor_cortex_for_motor() -> None:
    (motor,) = truth(GRID, MASK, replace(SMALL, classes=("motor",)))
    peak = GRID.matrix @ [*np.unravel_index(motor.specific.argmax(), GRID.shape), 1]
    assert np.linalg.norm(peak[:3] - (-40, -24, 56)) < 10


def test_common_regions_tell_nothing_about_the_class() -> None:
    common = replace(NO_NOISE, specific=0.0, shared=0.0)
    motor, social = truth(GRID, MASK, common)
    assert motor.values.any()
    assert np.array_equal(motor.values, social.values)
    maps = _maps(replace(common, runs=1, participants=1))
    assert np.array_equal(maps[0].values, maps[1].values)


def test_noise_has_the_sd_that_was_asked_for() -> None:
    noise = replace(
        SMALL, amplitude=0.0, baseline_sd=0.0, participants=6, noise_participant=0.6,
        noise_task=0.0, noise_map=0.8,
    )  # fmt: skip
    values = np.array([each.values[MASK] for each in _maps(noise)])
    assert values.std() == pytest.approx(1.0, abs=0.05)
    between_runs = np.mean(
        [np.mean(a * b) for a, b in zip(values[::2], values[1::2], strict=True)]
    )
    assert between_runs == pytest.approx(0.36, abs=0.08)


def test_maps_are_float32_and_zero_outside_the_mask() -> None:
    for each in _maps(SMALL):
        assert each.values.dtype == each.signal.dtype == np.float32
        assert each.values.shape == GRID.shape
        assert not each.values[~MASK].any()
        assert np.isfinite(each.values).all()
        assert each.session == ""


def test_families_have_one_to_three_members_and_none_where_all_are_strangers() -> None:
    one = SimulationConfig(participants=30, classes=("wm",))
    sizes = np.unique([each.family for each in _maps(one)], return_counts=True)[1]
    assert set(sizes) == {1, 2, 3}
    strangers = _maps(replace(one, participants=5, largest_family=1))
    assert len({each.family for each in strangers}) == 5


def _as_if(
    monkeypatch: pytest.MonkeyPatch,
    config: SimulationConfig,
    departure: Acquisition | Expression,
) -> list[SimulatedMap]:
    kind = "acquisition" if isinstance(departure, Acquisition) else "expression"
    with monkeypatch.context() as patch:
        patch.setattr(individuals, f"make_{kind}", lambda rng, *, variety: departure)
        return _maps(config)


def test_contrast_scales_the_activation(monkeypatch: pytest.MonkeyPatch) -> None:
    doubled = _as_if(monkeypatch, NO_NOISE, Acquisition(contrast=2.0))
    for plain, other in zip(_maps(NO_NOISE), doubled, strict=True):
        np.testing.assert_allclose(other.signal, 2 * plain.signal, rtol=1e-4, atol=1e-5)


def test_dropout_of_all_regions_leaves_the_common_networks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    common = _maps(replace(NO_NOISE, specific=0.0, shared=0.0))
    without = _as_if(monkeypatch, NO_NOISE, Expression(dropout=1.0))
    for alone, other in zip(common, without, strict=True):
        assert np.array_equal(other.signal, alone.signal)


def test_deactivation_of_all_regions_and_a_flipped_sign_undo_each_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = replace(NO_NOISE, common=0.0)
    negative = _as_if(monkeypatch, config, Expression(deactivation=1.0))
    restored = _as_if(monkeypatch, config, Expression(deactivation=1.0, sign=-1.0))
    for plain, minus, plus in zip(_maps(config), negative, restored, strict=True):
        np.testing.assert_array_equal(minus.signal, -plain.signal)
        np.testing.assert_array_equal(plus.signal, plain.signal)


def test_mirroring_moves_the_activation_to_the_other_hemisphere_but_not_the_common_networks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def flip(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return values[1:][::-1]  # the first plane, at x = -96, has no mirror image on the grid

    config = replace(NO_NOISE, shift=0.0, common=0.0)
    mirrored = _as_if(monkeypatch, config, Expression(mirrored=True))
    for plain, other in zip(_maps(config), mirrored, strict=True):
        assert not np.allclose(other.signal, plain.signal)
        np.testing.assert_allclose(other.signal[1:], flip(plain.signal), atol=1e-5)
    common = replace(NO_NOISE, specific=0.0, shared=0.0)
    unmoved = _as_if(monkeypatch, common, Expression(mirrored=True))
    for plain, other in zip(_maps(common), unmoved, strict=True):
        assert np.array_equal(other.signal, plain.signal)


def test_unspecific_activation_scales_and_is_no_part_of_the_signal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = replace(NO_NOISE, network_sd=0.3)
    tripled = _as_if(monkeypatch, config, Expression(unspecific=3.0))
    for plain, other in zip(_maps(config), tripled, strict=True):
        assert np.array_equal(other.signal, plain.signal)
        extra = plain.values - plain.signal
        assert np.abs(extra).max() > 0.01
        np.testing.assert_allclose(other.values - other.signal, 3 * extra, atol=1e-4)


@pytest.mark.parametrize("departure", [Acquisition(smoothness=1.5), Acquisition(broad_share=0.5)])
def test_a_smoother_acquisition_has_smoother_noise(
    departure: Acquisition, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = replace(SMALL, amplitude=0.0, baseline_sd=0.0)
    for plain, other in zip(_maps(noise), _as_if(monkeypatch, noise, departure), strict=True):
        steps = [np.diff(each.values[:, 14, 12]).std() for each in (plain, other)]
        assert steps[1] < 0.95 * steps[0]


def test_variety_changes_sign_field_of_view_and_smoothness() -> None:
    wide = SimulationConfig(participants=24, classes=("motor",), variety=1.0)
    (true,) = truth(GRID, MASK, replace(wide, common=0.0))
    maps = _maps(replace(wide, common=0.0))
    signs = [np.corrcoef(each.signal[MASK], true.values[MASK])[0, 1] for each in maps]
    assert min(signs) < -0.2
    assert max(signs) > 0.4
    missing = np.array([(each.values[MASK] == 0).mean() for each in maps])
    assert missing.min() == 0
    assert 0.02 < missing.max() < 0.4


def test_a_mask_of_another_grid_is_refused_at_once() -> None:
    with pytest.raises(UsageError, match=r"mask has shape \(2, 2, 2\)"):
        simulate(GRID, np.ones((2, 2, 2), dtype=bool), SMALL)
    with pytest.raises(UsageError, match="0 voxels"):
        truth(GRID, np.zeros(GRID.shape, dtype=bool), SMALL)


def test_a_grid_without_three_dimensions_is_refused() -> None:
    flat = replace(GRID, shape=(24, 29))
    with pytest.raises(UsageError, match="three dimensions"):
        simulate(flat, np.ones((24, 29), dtype=bool), SMALL)
