from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fmridecode.bids.class_file import read_classes
from fmridecode.bids.templates import Template
from fmridecode.bundles.bundle import load, save
from fmridecode.experiments.regions import DOMAINS
from fmridecode.pipeline.shipped import make
from fmridecode.pipeline.shipped.evaluate import scores_table
from fmridecode.pipeline.shipped.make import Made, make_shipped
from fmridecode.pipeline.shipped.maps import simulated_maps
from fmridecode.pipeline.shipped.recipe import CLASS_NAMES, OTHER, ShippedRecipe

CPU = torch.device("cpu")
TINY = ShippedRecipe(participants=4, strangers=2, held_out=2, resolution=8)
TINY = replace(TINY, training=replace(TINY.training, epochs=4))


@pytest.fixture(scope="module")
def made(template: Template) -> Iterator[Made]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(make, "target_grid", lambda _: template)
        yield make_shipped(TINY, device=CPU)


def test_making_it_again_gives_the_same_bits(
    made: Made, template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make, "target_grid", lambda _: template)
    again = make_shipped(TINY, device=CPU)
    assert save(again.decoder, tmp_path / "again") == save(made.decoder, tmp_path / "first")
    for path in (tmp_path / "first").iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()
    assert made.history.equals(again.history)


def test_another_seed_gives_other_maps_and_roles_never_share_one() -> None:
    seeds = {
        study(role).seed
        for recipe in (TINY, replace(TINY, seed=1))
        for study in (recipe.study, recipe.strange)
        for role in ("train", "validation", "test")
    }
    assert len(seeds) == 12


def test_kinds_that_train_calibrate_and_test_the_abstention_differ() -> None:
    kinds = [
        set(TINY.strange(role).classes) - {"noise", "anywhere"}
        for role in ("train", "validation", "test")
    ]
    assert all(kinds)
    assert not kinds[0] & kinds[1]
    assert not (kinds[0] | kinds[1]) & kinds[2]
    for role, own in zip(("validation", "test"), kinds[1:], strict=True):
        assert set(TINY.unmet(role).classes) == own


def test_the_bundle_comes_back_with_its_abstention_and_its_card_has_every_score(
    made: Made, tmp_path: Path
) -> None:
    save(made.decoder, tmp_path)
    loaded = load(tmp_path, device=CPU).decoder
    assert loaded.abstention == made.decoder.abstention
    assert loaded.origin == made.decoder.origin
    card = (tmp_path / "README.md").read_text()
    table = scores_table(loaded)
    assert {"accuracy", "known", "not known"} <= set(table["metric"])
    for value in table["estimate"]:
        assert f"{value:.3f}" in card


def test_classes_are_those_of_hcp7_and_one_for_all_else(made: Made) -> None:
    *names, last = (each.name for each in made.decoder.classes)
    assert last == OTHER
    assert set(names) == {each.name for each in read_classes("hcp7")} == set(CLASS_NAMES.values())


def test_maps_of_no_domain_are_of_the_class_other_and_all_maps_are_z_scored(
    template: Template,
) -> None:
    maps = simulated_maps(template, {"a": TINY.study("test"), "b": TINY.strange("test")})
    n = 2 * len(DOMAINS)
    assert maps.labels[:n].tolist() == 2 * list(range(len(DOMAINS)))
    assert set(maps.labels[n:]) == {len(DOMAINS)}
    assert maps.class_names[-1] == OTHER
    assert len(set(maps.participants)) == 4
    for values in maps.values[:: len(maps.values) // 6].astype(np.float64):
        assert values[values != 0].mean() == pytest.approx(0, abs=0.01)
        assert values[values != 0].std() == pytest.approx(1, abs=0.01)
        assert not values[~template.mask].any()
