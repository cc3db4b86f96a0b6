import numpy as np

from fmridecode.experiments.regions import DOMAINS, all_regions, common_networks


def test_every_domain_has_regions_that_are_only_its_own() -> None:
    for name in DOMAINS:
        own = [r for r in all_regions() if r.kind == "specific" and r.classes == (name,)]
        assert len(own) >= 8
        assert max(region.weight for region in own) == 1


def test_shared_regions_belong_to_two_or_three_domains() -> None:
    shared = [region for region in all_regions() if region.kind == "shared"]
    assert {len(region.classes) for region in shared} == {2, 3}
    assert {name for region in shared for name in region.classes} == set(DOMAINS)


def test_default_mode_and_visual_networks_are_common_to_all() -> None:
    assert set(common_networks()) == {"common.default_mode", "common.visual"}
    weights = {r.group: np.sign(r.weight) for r in all_regions() if r.kind == "common"}
    assert weights == {"common.default_mode": -1, "common.visual": 1}


def test_centres_lie_on_a_lattice_of_four_millimetres_within_the_brain() -> None:
    centres = np.array([region.centre for region in all_regions()])
    assert not (centres % 4).any()
    assert (np.abs(centres) <= (72, 108, 76)).all()


def test_names_are_unique_and_mirroring_twice_changes_nothing() -> None:
    regions = all_regions()
    assert len({region.name for region in regions}) == len(regions)
    assert all(region.mirrored.mirrored == region for region in regions)
