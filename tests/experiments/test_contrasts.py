import numpy as np
import pytest

from fmridecode.experiments.contrasts import (
    ANYWHERE,
    BRAIN_CENTRE,
    BRAIN_RADII,
    NOISE,
    all_tasks,
    background,
    choose_contrast,
    contrasts_of,
    strangers,
)
from fmridecode.experiments.regions import DOMAINS


def test_every_domain_is_shown_by_several_contrasts_within_the_brain() -> None:
    for domain in DOMAINS:
        assert len(contrasts_of(domain)) >= 4
        for contrast in contrasts_of(domain):
            centres = [c for _, regions in contrast.networks for c, _ in regions]
            assert centres
            assert (np.abs(centres) <= (72, 108, 76)).all(), contrast.name


def test_kinds_of_strangers_are_not_shared_but_for_noise_and_random_places() -> None:
    known = strangers()
    groups = [
        set(group) - {NOISE, ANYWHERE} for group in (known.train, known.calibrate, known.test)
    ]
    assert all(groups)
    assert sum(map(len, groups)) == len(set.union(*groups))
    assert not set.union(*groups) & set(DOMAINS)
    assert "pain" in known.train
    assert set(all_tasks()) == set(DOMAINS).union({NOISE, ANYWHERE}, *groups)


def test_without_variety_a_domain_is_its_meta_analysis_and_with_it_a_third_is() -> None:
    rng = np.random.default_rng(0)
    assert choose_contrast(rng, "motor", variety=0.0) is None
    drawn = [choose_contrast(rng, "motor", variety=1.0) for _ in range(900)]
    assert drawn.count(None) / len(drawn) == pytest.approx(1 / 3, abs=0.05)
    assert {each.name for each in drawn if each} == {each.name for each in contrasts_of("motor")}


def test_a_stranger_is_what_it_is_called_at_any_variety() -> None:
    rng = np.random.default_rng(0)
    for name in all_tasks()[len(DOMAINS) :]:
        contrast = choose_contrast(rng, name, variety=0.0)
        assert contrast is not None
        assert contrast.name == name
        assert bool(contrast.networks) == (name != NOISE)


def test_random_places_lie_in_an_ellipsoid_and_differ_from_map_to_map() -> None:
    rng = np.random.default_rng(0)
    drawn = [choose_contrast(rng, ANYWHERE, variety=1.0) for _ in range(50)]
    centres = [c for each in drawn if each for _, regions in each.networks for c, _ in regions]
    assert (((np.array(centres) - BRAIN_CENTRE) / BRAIN_RADII) ** 2).sum(axis=1).max() <= 1
    assert len(set(centres)) == len(centres)


def test_background_networks_are_of_one_network_each() -> None:
    assert {len(each.networks) for each in background()} == {1}
