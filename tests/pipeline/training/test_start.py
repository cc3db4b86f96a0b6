from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fmridecode.bids.derivatives import read_table
from fmridecode.bundles.bundle import load, save
from fmridecode.config import RunConfig, compose, preset_values
from fmridecode.core.maps import MapSet
from fmridecode.core.splits import make_splits
from fmridecode.core.trained import TrainedDecoder
from fmridecode.core.transfer import members_of
from fmridecode.errors import NoInputError, UsageError
from fmridecode.pipeline.training.baseline import baseline_config
from fmridecode.pipeline.training.fitting import fit_decoder
from fmridecode.pipeline.training.start import check_start_saw_nobody, started

CPU = torch.device("cpu")


def _fit(config: RunConfig, maps: MapSet) -> TrainedDecoder:
    (split, *_) = make_splits(
        maps.participants, config.split, families={}, generator=np.random.default_rng(0)
    )
    return fit_decoder(config, maps, split, fold=1, device=CPU).decoder


@pytest.fixture(scope="module")
def source(
    quick: Callable[..., RunConfig],
    small_maps: Callable[..., MapSet],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("source") / "fold-1"
    save(_fit(quick({"model": {"filters": (5,), "ensemble": 2}}), small_maps(seed=3)), folder)
    return folder


def _from(source: Path, **training: object) -> RunConfig:
    return compose(
        preset_values("default"),
        {"training": {"init_from": str(source), "epochs": 4, "batch_size": 8, **training}},
    )


def test_the_default_recipe_takes_the_layers_of_the_decoder_that_it_starts_from(
    source: Path, small_maps: Callable[..., MapSet]
) -> None:
    config = started(_from(source, freeze_layers=1))
    given = load(source, device=CPU).decoder
    assert config.model.filters == (5,)
    assert config.model.pooling == "average"
    assert config.model.linear_path
    decoder = _fit(config, small_maps())
    members, starts = members_of(decoder.model), members_of(given.model)
    assert len(members) == 3  # started from two, in turn
    for member, start in zip(members, [starts[0], starts[1], starts[0]], strict=True):
        (ours,), (theirs,) = member.convolutions(), start.convolutions()
        for name, value in theirs.state_dict().items():
            assert torch.equal(ours.state_dict()[name], value)
    assert decoder.training_config.init_from == str(source)


def test_without_a_start_nothing_changes(quick: Callable[..., RunConfig]) -> None:
    assert started(quick()) == quick()


def test_other_filters_than_the_start_has_are_one_line(source: Path) -> None:
    config = _from(source)
    config = replace(config, model=replace(config.model, filters=(7, 7)))
    with pytest.raises(UsageError, match=r"--filters is 7 7, but --init-from .* has 5: leave"):
        started(config)


def test_a_start_without_convolutions_or_that_is_not_there_is_one_line(
    quick: Callable[..., RunConfig], small_maps: Callable[..., MapSet], tmp_path: Path
) -> None:
    save(_fit(quick({"model": {"architecture": "linear"}}), small_maps()), tmp_path / "linear")
    with pytest.raises(UsageError, match="without convolutional layers"):
        started(_from(tmp_path / "linear"))
    with pytest.raises(NoInputError, match="--init-from"):
        started(_from(tmp_path / "nowhere"))


def test_the_baseline_starts_from_nothing(source: Path) -> None:
    config = baseline_config(_from(source, freeze_layers=1))
    assert config.training.init_from == ""
    assert config.training.freeze_layers == 0


def test_a_run_from_a_start_trains_decodes_and_remembers_it(
    study: Path, job: Callable[..., int], source: Path, tmp_path: Path
) -> None:
    options = ["--architecture", "cnn", "--init-from", str(source), "--freeze-layers", "1"]
    assert job(study, tmp_path, "participant", *options, "--saliency", "gradient") == 0
    folds = read_table(tmp_path / "models" / "cnn-adversarial" / "folds.tsv")["fold"].nunique()
    assert folds == 3
    bundle = load(tmp_path / "models" / "cnn-adversarial" / "fold-2", device=CPU)
    assert bundle.decoder.model_config.filters == (5,)
    assert bundle.decoder.training_config.freeze_layers == 1


def test_a_start_that_has_seen_those_to_be_tested_is_refused_as_a_leak(
    source: Path, small_maps: Callable[..., MapSet]
) -> None:
    config = _from(source)
    participants = small_maps().participants
    splits = make_splits(
        participants, config.split, families={}, generator=np.random.default_rng(0)
    )
    check_start_saw_nobody(config, small_maps(seed=4), splits)
    with pytest.raises(UsageError, match=r"was trained on .* participants to be tested"):
        check_start_saw_nobody(config, small_maps(seed=3), splits)
