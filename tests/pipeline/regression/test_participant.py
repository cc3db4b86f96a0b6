import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from fmridecode.bids.derivatives import read_table
from fmridecode.bundles.bundle import load

from .conftest import AGE, Job

CPU = torch.device("cpu")
MODELS = "models/linear-adversarial-age"
NAME = "sub-{who}_task-{task}_space-MNI152NLin2009cAsym_res-08_desc-{what}"


def everyone(out: Path) -> list[str]:
    return sorted(path.name.removeprefix("sub-") for path in out.glob("sub-*") if path.is_dir())


def predictions(out: Path, who: str, name: str = "regression"):
    return read_table(out / f"sub-{who}/func/sub-{who}_desc-{name}_predictions.tsv")


def test_everyone_with_an_age_is_predicted_and_whoever_has_none_is_named(
    predicted: Path, aged: Path
) -> None:
    assert len(everyone(predicted)) == 23
    assert "02" not in everyone(predicted)
    excluded = read_table(predicted / "logs/sub-02_excluded.tsv")
    assert excluded["reason"].tolist() == [
        f"its age is n/a in {aged / 'participants.tsv'} (--target-column)"
    ]


def test_a_participant_has_its_maps_and_one_prediction_of_all(predicted: Path) -> None:
    table = predictions(predicted, "05")
    assert table["unit"].tolist() == ["participant", "map", "map"]
    assert table["label"].tolist()[1:] == ["faces", "words"]
    assert table["predicted"][0] == pytest.approx(table["predicted"][1:].mean(), rel=1e-5)
    assert table["sd"][0] == pytest.approx(np.sqrt((table["sd"][1:] ** 2).mean()), rel=1e-5)
    assert table["true"].nunique() == 1
    assert not table["seen_in_training"].any()
    names = {path.name for path in (predicted / "sub-05/func").glob("*.nii.gz")}
    whats = ("gradientToAge", "gradientXInputToAge", "smoothgradToAge")
    expected = {
        NAME.format(who="05", task=task, what=what) + "_saliency.nii.gz"
        for task in ("faces", "words")
        for what in whats
    }
    zscored = {
        NAME.format(who="05", task=task, what="zscored") + "_statmap.nii.gz"
        for task in ("faces", "words")
    }
    assert names == expected | zscored


def test_the_decoder_of_a_fold_knows_mean_and_sd_of_its_training_participants_alone(
    predicted: Path,
) -> None:
    roles = read_table(predicted / MODELS / "folds.tsv")
    ages = {who: predictions(predicted, who)["true"][0] for who in everyone(predicted)}
    for fold in (1, 2, 3):
        number = load(predicted / MODELS / f"fold-{fold}", device=CPU).decoder.number
        own = roles[(roles["fold"] == fold) & (roles["role"] == "train")]["participant_id"]
        values = np.array([ages[who] for who in own])
        assert number is not None
        assert number.mean == pytest.approx(values.mean(), rel=1e-5)
        assert number.sd == pytest.approx(values.std(), rel=1e-5)
        assert (number.target.name, number.target.unit) == ("age", "years")
        assert number.target.source == "bids:input:participants.tsv"
        tested = roles[(roles["fold"] == fold) & (roles["role"] == "test")]["participant_id"]
        for who in tested:
            table = predictions(predicted, who)
            assert set(table["fold"]) == {fold}
            assert table["training_mean"][0] == pytest.approx(number.mean, rel=1e-5)


def test_the_saliency_of_a_linear_decoder_are_its_weights_in_years(predicted: Path) -> None:
    path = predicted / "sub-05/func" / NAME.format(who="05", task="faces", what="gradientToAge")
    values = nib.load(f"{path}_saliency.nii.gz").get_fdata()
    said = json.loads(Path(f"{path}_saliency.json").read_text())
    assert said["Units"] == "years per SD of the z-scored map"
    assert said["TargetColumn"] == "age"
    assert said["TargetSource"] == "bids:input:participants.tsv"
    decoder = load(predicted / MODELS / f"fold-{said['Fold']}", device=CPU).decoder
    assert decoder.number is not None
    weights = decoder.number.sd * decoder.model.head.weight[0].detach().numpy()
    np.testing.assert_allclose(values[decoder.model.mask.numpy()], weights, rtol=1e-4)


def test_the_age_is_predicted_beside_the_ridge_regression(predicted: Path) -> None:
    for name in ("regression", "baseline"):
        rows = [predictions(predicted, who, name).iloc[0] for who in everyone(predicted)]
        true, guess = (np.array([row[each] for row in rows]) for each in ("true", "predicted"))
        assert np.corrcoef(true, guess)[0, 1] > 0.5, name


def test_the_same_seed_gives_the_same_bits(predicted: Path, aged: Path, job: Job, tmp_path: Path):
    assert job(aged, tmp_path / "out", "train", *AGE) == 0
    assert job(aged, tmp_path / "out", "participant", *AGE, "--participant-label", "05") == 0
    for folder in (MODELS, "sub-05"):
        for path in sorted((predicted / folder).rglob("*")):
            again = tmp_path / "out" / path.relative_to(predicted)
            if path.is_file() and path.name != "recipe.json":
                assert path.read_bytes() == again.read_bytes(), path


def test_a_decoder_of_a_number_predicts_other_data(
    predicted: Path, aged: Path, job: Job, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(aged, tmp_path / "other"))
    (data / "dataset_description.json").write_text(
        '{"Name": "other", "BIDSVersion": "1.9.0", "DatasetType": "derivative"}'
    )
    table = (data / "participants.tsv").read_text()
    (data / "participants.tsv").write_text(table.replace("age", "years_of_age"))
    out = tmp_path / "out"
    model = ("--model", str(predicted / MODELS / "fold-1"))
    assert job.plain(data, out, "participant", *model, "--participant-label", "05") == 0
    unscored = predictions(out, "05")
    assert unscored["true"].isna().all()
    assert unscored["seen_in_training"].all()  # recognised by the maps, whatever its name
    named = ("--target-column", "years_of_age")
    assert job.plain(data, out, "participant", *model, *named, "--participant-label", "05") == 0
    scored = predictions(out, "05")
    assert scored["true"].notna().all()
    assert scored["predicted"].tolist() == unscored["predicted"].tolist()
