from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from fmridecode.core.grid import Grid, as_rows
from fmridecode.experiments import activations
from fmridecode.experiments.activations import activation, unspecific
from fmridecode.experiments.contrasts import Contrast, background
from fmridecode.experiments.individuals import Individual, individuals
from fmridecode.experiments.study import SimulationConfig
from fmridecode.experiments.variety import Acquisition, Expression

GRID = Grid(
    shape=(49, 58, 49),
    affine=as_rows(np.array([[4, 0, 0, -96], [0, 4, 0, -132], [0, 0, 4, -78], [0, 0, 0, 1.0]])),
    space="MNI152NLin2009cAsym",
    resolution="04",
)
CENTRE = (-40.0, -24.0, 54.0)
STILL = SimulationConfig(
    participants=1,
    dropout=0.0,
    shift=0.0,
    extent_sd=0.0,
    amplitude_sd=0.0,
    gain_sd=0.0,
    common=0.0,
    variety=1.0,
)


def _person(config: SimulationConfig, acquisition: Acquisition | None = None) -> Individual:
    (person,) = individuals(config)
    return replace(person, acquisition=acquisition or Acquisition())


@pytest.fixture
def one_region(monkeypatch: pytest.MonkeyPatch) -> None:
    only = Contrast(name="one", networks=((1.0, ((CENTRE, 1.0),)),))
    monkeypatch.setattr(activations, "choose_contrast", lambda *_, **__: only)
    monkeypatch.setattr(activations, "NETWORK_SD", 0.0)


def _peak(values: NDArray[np.float32]) -> NDArray[np.float64]:
    place = GRID.matrix @ [*np.unravel_index(np.abs(values).argmax(), GRID.shape), 1]
    return place[:3]


@pytest.mark.usefixtures("one_region")
def test_a_contrast_replaces_the_regions_of_the_domain() -> None:
    values = activation(GRID, _person(STILL), "wm", Expression())
    np.testing.assert_allclose(_peak(values), CENTRE, atol=2)
    assert values.max() == pytest.approx(STILL.amplitude * activations.BALANCE, rel=0.1)
    assert (values >= 0).all()


@pytest.mark.usefixtures("one_region")
def test_a_contrast_is_mirrored_moved_and_missing_as_the_laboratory_has_it() -> None:
    mirrored = activation(GRID, _person(STILL), "wm", Expression(mirrored=True))
    np.testing.assert_allclose(_peak(mirrored), (40, -24, 54), atol=2)
    moved = _person(STILL, Acquisition(displacement=(8.0, 0.0, -12.0)))
    np.testing.assert_allclose(
        _peak(activation(GRID, moved, "wm", Expression())), (-32, -24, 42), atol=2
    )
    assert not activation(GRID, _person(STILL), "wm", Expression(dropout=1.0)).any()
    negative = activation(GRID, _person(STILL), "wm", Expression(deactivation=1.0))
    assert negative.min() < 0 == negative.max()


def test_a_reversible_contrast_comes_either_way_round(monkeypatch: pytest.MonkeyPatch) -> None:
    either = Contrast(name="one", networks=((1.0, ((CENTRE, 1.0),)),), reversible=True)
    monkeypatch.setattr(activations, "choose_contrast", lambda *_, **__: either)
    people = individuals(replace(STILL, participants=12))
    sums = [activation(GRID, each, "wm", Expression()).sum() for each in people]
    assert {np.sign(each) for each in sums} == {-1, 1}


def test_background_networks_are_there_with_variety_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activations, "BACKGROUND_SHARE", 1.0)
    plain = unspecific(GRID, _person(replace(STILL, variety=0.0)), "wm", Expression())
    varied = unspecific(GRID, _person(STILL), "wm", Expression())
    cerebellum = next(each for each in background() if each.name == "cerebellum")
    x, y, z = cerebellum.networks[0][1][0][0]
    voxel = tuple(np.round(np.linalg.solve(GRID.matrix, (x, y, z, 1.0))[:3]).astype(int))
    assert plain[voxel] == 0
    assert varied[voxel] != 0
