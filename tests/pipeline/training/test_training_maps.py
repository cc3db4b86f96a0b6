from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from fmridecode.core.maps import MapSet
from fmridecode.core.splits import Split
from fmridecode.pipeline.training.training_maps import remembered, statistics

SPLIT = Split(train=("01", "02"), validation=("03",), test=("04", "05"))


def test_what_is_remembered_is_of_those_who_train_and_validate_and_repeats(
    small_maps: Callable[..., MapSet],
) -> None:
    maps = small_maps()
    kept = remembered(maps, SPLIT, seed=1)
    assert len(kept.fingerprints.maps) == 9
    assert kept == remembered(maps, SPLIT, seed=1)
    assert kept.fingerprints.salt != remembered(maps, SPLIT, seed=2).fingerprints.salt


def test_the_folds_of_a_run_share_a_salt(small_maps: Callable[..., MapSet]) -> None:
    other = Split(train=("04", "05"), validation=("01",), test=("02", "03"))
    salts = {remembered(small_maps(), each, seed=1).fingerprints.salt for each in (SPLIT, other)}
    assert len(salts) == 1


def test_participants_are_kept_only_where_the_data_set_has_a_name(
    small_maps: Callable[..., MapSet],
) -> None:
    maps = small_maps()
    assert remembered(maps, SPLIT, seed=1).fingerprints.participants == ()
    named = replace(maps, origin=replace(maps.origin, dataset="D"))
    assert len(remembered(named, SPLIT, seed=1).fingerprints.participants) == 3


def test_statistics_are_those_of_the_examples_and_unknown_ones_stay_unknown(
    small_maps: Callable[..., MapSet],
) -> None:
    maps = small_maps(3)
    first = replace(maps.examples[0], sd=10.0, negative=0.25, missing=0.125)
    found = statistics(replace(maps, examples=(first, *maps.examples[1:])), [0, 1])
    assert found["log10_sd"][0] == pytest.approx(1)
    assert np.isnan(found["log10_sd"][1])
    assert found["negative"][0] == 0.25
    assert found["overlap"][0] == 0.875
    assert (found["fwhm"] < 12).all()
    names = {each.statistic for each in remembered(maps, SPLIT, seed=0).usual}
    assert names == {"fwhm", "overlap"}
