from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from fmridecode.bids.derivatives import read_table
from fmridecode.bundles.bundle import save
from fmridecode.config import RunConfig, compose
from fmridecode.core.maps import MapSet
from fmridecode.core.splits import make_splits
from fmridecode.errors import BadDataError, UsageError
from fmridecode.pipeline.training.fitting import fit_decoder
from fmridecode.pipeline.transfer.curves import write_curves
from fmridecode.pipeline.transfer.learn import (
    LINEAR,
    SAME_LAYERS,
    SCRATCH,
    STARTED,
    arms,
    draws,
    learning_curves,
)

CPU = torch.device("cpu")
PEOPLE = [f"{i:02d}" for i in range(12)]
DRAWN = {"repetitions": 2, "folds": 3, "validation_share": 0.25, "seed": 0}


@pytest.fixture(scope="module")
def source(
    quick: Callable[..., RunConfig],
    small_maps: Callable[..., MapSet],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    config, maps = quick({"model": {"filters": (5,)}}), small_maps(seed=5)
    (split, *_) = make_splits(
        maps.participants, config.split, families={}, generator=np.random.default_rng(0)
    )
    folder = tmp_path_factory.mktemp("start") / "bundle"
    save(fit_decoder(config, maps, split, fold=1, device=CPU).decoder, folder)
    return folder


def test_everybody_is_tested_once_per_size_and_draw_by_those_who_never_met_them() -> None:
    drawn = draws(PEOPLE, (3, 5, 8), **DRAWN)
    for size, repetitions in ((3, 2), (5, 2), (8, 1)):
        for number in range(1, repetitions + 1):
            some = [each for each in drawn if (each.size, each.number) == (size, number)]
            assert sorted(who for each in some for who in each.split.test) == PEOPLE
    for each in drawn:
        learned = {*each.split.train, *each.split.validation}
        assert len(learned) == each.size == len(each.split.train) + len(each.split.validation)
        assert each.split.validation
        assert not learned & set(each.split.test)


def test_test_participants_are_the_same_for_all_sizes_and_subsets_grow() -> None:
    drawn = draws(PEOPLE, (3, 5), **DRAWN)
    by_key = {(each.size, each.number, each.fold): each.split for each in drawn}
    for (size, number, fold), split in by_key.items():
        larger = by_key[5, number, fold]
        assert split.test == larger.test
        if size == 3:
            assert {*split.train, *split.validation} <= {*larger.train, *larger.validation}


@pytest.mark.parametrize("sizes", [(1,), (9,), (3, 9)])
def test_a_size_that_cannot_be_drawn_is_one_line(sizes: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="sizes from 2 to 8 are possible"):
        draws(PEOPLE, sizes, **DRAWN)


def test_usual_sizes_end_with_all_that_there_are() -> None:
    assert {each.size for each in draws(PEOPLE, (), **DRAWN)} == {5, 8}
    many = [f"{i:02d}" for i in range(40)]
    assert {each.size for each in draws(many, (), **{**DRAWN, "folds": 4})} == {5, 10, 20, 30}


def test_arms_differ_in_what_they_are_called_for(source: Path) -> None:
    config = compose({"training": {"init_from": str(source)}})
    made = arms(config)
    assert made[LINEAR].model.architecture == "linear"
    assert made[SCRATCH].model == config.model
    assert made[SAME_LAYERS].model == made[STARTED].model
    assert made[STARTED].model.filters == (5,)
    assert [name for name, each in made.items() if each.training.init_from] == [STARTED]
    with pytest.raises(UsageError, match="--init-from is missing"):
        arms(compose())


def test_curves_are_means_over_participants_of_what_was_decoded(
    source: Path,
    quick: Callable[..., RunConfig],
    small_maps: Callable[..., MapSet],
    tmp_path: Path,
) -> None:
    config = quick(
        {"model": {"filters": (5,)}, "training": {"init_from": str(source), "epochs": 4}}
    )
    maps = small_maps()
    drawn = draws(maps.participants, (3, 8), **{**DRAWN, "repetitions": 1})
    predictions = learning_curves(config, maps, drawn, CPU)
    assert predictions.equals(learning_curves(config, maps, drawn, CPU))
    curves = write_curves(tmp_path, predictions, seed=0)
    assert len(predictions) == 4 * 2 * len(maps.examples)
    for _, row in curves.iterrows():
        part = predictions[
            (predictions["arm"] == row["arm"]) & (predictions["size"] == row["size"])
        ]
        assert row["accuracy"] == pytest.approx(part["correct"].mean())
        assert row["ci_low"] <= row["accuracy"] <= row["ci_high"]
    tests = read_table(tmp_path / "tests.tsv")
    by_arm = curves[curves["size"] == 8].set_index("arm")["accuracy"]
    for _, row in tests[tests["size"] == 8].iterrows():
        expected = by_arm[row["arm_a"]] - by_arm[row["arm_b"]]
        assert row["difference"] == pytest.approx(expected, abs=1e-5)  # as it was written
    assert (tmp_path / "curves.png").stat().st_size > 10_000


def test_a_draw_that_lacks_a_class_is_one_line(
    source: Path, quick: Callable[..., RunConfig], small_maps: Callable[..., MapSet]
) -> None:
    config = quick({"model": {"filters": (5,)}, "training": {"init_from": str(source)}})
    maps = small_maps()
    examples = [e for e in maps.examples if e.label == 0 or e.participant == "00"]
    keep = [i for i, e in enumerate(maps.examples) if e in examples]
    few = MapSet(
        values=maps.values[keep],
        examples=tuple(maps.examples[i] for i in keep),
        classes=maps.classes,
        mask=maps.mask,
        grid=maps.grid,
        mask_source=maps.mask_source,
    )
    with pytest.raises(BadDataError, match="lack a class"):
        learning_curves(config, few, draws(few.participants, (3,), **DRAWN), CPU)


def test_predictions_without_any_difference_have_no_significant_one(tmp_path: Path) -> None:
    rows = [
        {
            "arm": arm,
            "size": 5,
            "draw": 1,
            "fold": 1,
            "participant_id": f"sub-{i}",
            "true_label": "ab"[i % 2],
            "predicted_label": "a",
            "correct": i % 2 == 0,
        }
        for arm in (LINEAR, SCRATCH, SAME_LAYERS, STARTED)
        for i in range(10)
    ]
    write_curves(tmp_path, pd.DataFrame(rows), seed=0)
    tests = read_table(tmp_path / "tests.tsv")
    assert (tests["p"] == 1).all()
    assert (tests["difference"] == 0).all()
