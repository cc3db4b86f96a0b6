import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from fmridecode.bids.derivatives import read_table
from fmridecode.errors import BadDataError
from fmridecode.pipeline.training import choose
from fmridecode.pipeline.training.choose import (
    EPSILONS,
    SIGMAS,
    Interpretability,
    epsilon_curve,
    epsilons,
    resolved,
    sigma_curve,
)
from fmridecode.pipeline.training.fitting import fit_decoder
from fmridecode.pipeline.training.train import train

CPU = torch.device("cpu")
AUTO = {"training": {"epsilon": "auto"}, "saliency": {"smoothgrad_sigma": "auto"}}


@pytest.fixture
def chosen(quick, small_maps, tmp_path):
    config, maps = quick(AUTO), small_maps()
    return config, maps, train(config, maps, {}, tmp_path, CPU)


def test_the_curves_are_written_and_each_fold_records_what_it_chose(chosen):
    config, _, folds = chosen
    for name, column, grid in (
        ("epsilon", "epsilon", EPSILONS),
        ("smoothgrad_sigma", "sigma", SIGMAS),
    ):
        curve = read_table(folds.folder / f"{name}.tsv")
        for fold, rows in curve.groupby("fold"):
            assert tuple(rows[column]) == grid
            (value,) = rows.loc[rows["chosen"], column]
            described = json.loads((folds.fold_folder(fold) / "config.json").read_text())
            if name == "epsilon":
                assert described["training"]["epsilon"] == value
            else:
                assert resolved(config, folds, fold).saliency.smoothgrad_sigma == value
        assert sorted(curve["fold"].unique()) == [1, 2, 3]


def test_the_decoder_kept_is_the_one_trained_with_the_chosen_bound(chosen, quick):
    _, maps, folds = chosen
    decoder = folds.load(1, device=CPU).decoder
    config = quick({"training": {"epsilon": decoder.training_config.epsilon}})
    again = fit_decoder(config, maps, folds.splits[0], fold=1, device=CPU).decoder
    kept = decoder.model.state_dict()
    assert all(torch.equal(kept[k], v) for k, v in again.model.state_dict().items())


def test_noise_instead_of_the_maps_of_test_participants_changes_no_choice(chosen):
    config, maps, folds = chosen
    for split in folds.splits:
        values = maps.values.copy()
        tested = maps.where(set(split.test))
        values[tested] = np.random.default_rng(9).standard_normal(values[tested].shape) * 50
        spoilt = replace(maps, values=values)
        fitted = {
            epsilon: fit_decoder(
                choose.with_epsilon(config, epsilon), maps, split, fold=1, device=CPU
            ).decoder
            for epsilon in EPSILONS[:2]
        }
        for compute in (
            lambda m, s=split, f=fitted: epsilon_curve(f, m, s, config, device=CPU),
            lambda m, s=split, f=fitted: sigma_curve(f[EPSILONS[0]], m, s, config, CPU),
        ):
            assert compute(spoilt).equals(compute(maps))


def test_the_whole_training_of_a_fold_does_not_look_at_its_test_participants(
    quick, small_maps, tmp_path
):
    config, maps = quick(AUTO, {"split": {"holdout": True}}), small_maps()
    clean = train(config, maps, {}, tmp_path / "clean", CPU)
    values = maps.values.copy()
    values[maps.where(set(clean.splits[0].test))] = 100.0
    spoilt = train(config, replace(maps, values=values), {}, tmp_path / "spoilt", CPU)
    for name in ("epsilon.tsv", "smoothgrad_sigma.tsv", "training.tsv"):
        assert (clean.folder / name).read_bytes() == (spoilt.folder / name).read_bytes()


def curve_of(monkeypatch, quick, maps, *, wrong, scores):
    """Return the curve of decoders that misclassify so many of the 12 validation maps."""
    labels = maps.labels[:12]
    answers = [np.eye(3)[np.where(np.arange(12) < n, (labels + 1) % 3, labels)] for n in wrong]
    given = iter(zip(answers, scores, strict=True))
    found = {}

    def predict(*_):
        logits, found["score"] = next(given)
        return torch.from_numpy(logits)

    monkeypatch.setattr(choose, "predict_logits", predict)
    monkeypatch.setattr(
        choose,
        "interpretability",
        lambda *_: Interpretability(cia=found["score"], cad=found["score"]),
    )
    split = choose.Split(train=("09",), validation=("00", "01", "02", "03"), test=("10",))
    decoders = dict.fromkeys(EPSILONS, SimpleNamespace(model=None))
    return epsilon_curve(decoders, maps, split, quick(), device=CPU)


def test_the_most_interpretable_of_the_accurate_ones_is_chosen(monkeypatch, quick, small_maps):
    curve = curve_of(
        monkeypatch, quick, small_maps(), wrong=[3, 3, 4, 9], scores=[0.1, 0.2, 0.3, 0.9]
    )
    assert curve["accurate"].tolist() == [True, True, True, False]
    assert curve["chosen"].tolist() == [False, False, True, False]


def test_participants_with_one_class_cannot_choose(monkeypatch, quick, small_maps):
    with pytest.raises(BadDataError, match=r"--epsilon auto.*give a number"):
        curve_of(monkeypatch, quick, small_maps(), wrong=[0] * 4, scores=[float("nan")] * 4)


def test_one_bound_is_enough_where_it_has_no_effect(quick):
    assert epsilons(quick(AUTO)) == EPSILONS
    assert epsilons(quick({"training": {"epsilon": 0.4}})) == (0.4,)
    assert len(epsilons(quick({"training": {"epsilon": "auto", "scheme": "standard"}}))) == 1
    assert len(epsilons(quick(AUTO, {"model": {"architecture": "correlation"}}))) == 1
