import json
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import nibabel as nib
import numpy as np
import pytest
import torch

from fmridecode.bids.derivatives import read_table
from fmridecode.bids.templates import Template
from fmridecode.bundles.bundle import load
from fmridecode.pipeline.models import Card, export, listed, shown
from fmridecode.report import build_group, build_participant

from .aged_study import CENTRE, write_aged_study
from .conftest import AGE, Job

SPACE = "group_space-MNI152NLin2009cAsym_res-08"


@pytest.fixture(scope="module")
def grouped(predicted: Path, aged: Path, job: Job, tmp_path_factory: pytest.TempPathFactory):
    """Return the output after the level group; no option but the folders says what it is of."""
    out = Path(shutil.copytree(predicted, tmp_path_factory.mktemp("grouped") / "out"))
    assert job.plain(aged, out, "group") == 0
    return out


def scores(out: Path):
    table = read_table(out / "group_desc-regression_scores.tsv")
    return table.set_index(["predictor", "unit", "metric"])


def image(out: Path, name: str) -> np.ndarray:
    return nib.load(out / f"{SPACE}_{name}.nii.gz").get_fdata()


def test_the_age_is_predicted_and_its_region_found(grouped: Path) -> None:
    found = scores(grouped)
    for who in ("decoder", "ridge"):
        r = found.loc[(who, "participant", "pearson_r")]
        assert r["ci_low"] > 0.3
        assert r["p"] < 0.01
        assert r["n_participants"] == 23
        assert r["n_maps"] == 46
        assert found.loc[(who, "participant", "r2")]["ci_low"] > 0
    assert found.loc[("training-mean", "participant", "r2")]["estimate"] == 0
    for name in ("desc-smoothgradToAge_saliency", "stat-t_desc-regressionOfAge_statmap"):
        values = image(grouped, name)
        peak = np.unravel_index(values.argmax(), values.shape)
        assert np.abs(np.subtract(peak, CENTRE)).max() <= 2, name


def test_the_scores_are_those_of_the_participants_table(grouped: Path) -> None:
    table = read_table(grouped / "group_desc-regression_participants.tsv")
    error = table["predicted"] - table["true"]
    expected = 1 - (error**2).sum() / ((table["true"] - table["training_mean"]) ** 2).sum()
    found = scores(grouped)["estimate"]
    assert found[("decoder", "participant", "r2")] == pytest.approx(expected, rel=1e-4)
    assert found[("decoder", "participant", "mae")] == pytest.approx(error.abs().mean(), rel=1e-4)
    ridge = (table["ridge_predicted"] - table["true"]).abs().mean()
    difference = found[("decoder-minus-ridge", "participant", "mae")]
    assert difference == pytest.approx(error.abs().mean() - ridge, rel=1e-3)


def test_alignment_is_of_people_whom_the_decoder_has_not_seen(grouped: Path) -> None:
    table = read_table(grouped / "group_desc-regression_alignment.tsv")
    rows = table.set_index(["method", "reference"])
    assert rows.loc[("gradient", "test")]["pearson_r"] > 0.2
    assert rows.loc[("gradient", "test")]["p"] < 0.01
    assert np.isnan(rows.loc[("gradient", "all")]["p"])
    assert (table["n_participants"] == 23).all()


def test_the_mean_saliency_is_in_the_units_of_the_number(grouped: Path) -> None:
    said = json.loads((grouped / f"{SPACE}_desc-gradientToAge_saliency.json").read_text())
    assert said["Units"] == "years per SD of the z-scored map"
    assert said["NumberOfParticipants"] == 23
    paths = [*grouped.glob("sub-*/func/*_desc-gradientToAge_saliency.nii.gz")]
    expected = np.mean([nib.load(path).get_fdata() for path in paths], axis=0)
    found = image(grouped, "desc-gradientToAge_saliency")
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-6)


def test_the_summary_keeps_to_its_schema(grouped: Path) -> None:
    summary = json.loads((grouped / "group_desc-summary.json").read_text())
    jsonschema.validate(
        summary, json.loads((grouped / "group_desc-summary.schema.json").read_text())
    )
    assert summary["regression"]["target"] == "age"
    assert summary["participants"]["n_excluded"] == 1
    assert "decoding" not in summary
    both = {**summary, "decoding": {}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(
            both, json.loads((grouped / "group_desc-summary.schema.json").read_text())
        )


def test_the_page_shows_what_there_is_and_no_empty_sections(grouped: Path, aged: Path) -> None:
    page = build_group(grouped).read_text(encoding="utf-8")
    for words in (
        "could be predicted",
        "R²",
        "Ridge regression",
        "those tested",
        "Seitzer",
        "Doubts",
    ):
        assert words in page
    assert "its age is n/a in" in page
    for absent in ("Confusion", "CIA", "Faithfulness<", 'class="missing"', "cannot be shown"):
        assert absent not in page, absent
    own = build_participant(grouped, "05").read_text(encoding="utf-8")
    assert "predicted age (years)" in own
    assert "cannot be" not in own
    assert "Nothing is recorded" not in own


@pytest.mark.parametrize("fold", [0, 2])
def test_an_exported_decoder_says_its_scores(grouped: Path, tmp_path: Path, fold: int) -> None:
    export(grouped, tmp_path / "age", fold=fold, card=Card(title="Age"))
    said = shown(str(tmp_path / "age"))
    assert "decodes: age" in said
    assert "| r2 |" in said
    decoder = load(tmp_path / "age", device=torch.device("cpu")).decoder
    r2 = next(each for each in decoder.origin.scores if each.metric == "r2")
    if not fold:
        found = scores(grouped)["estimate"][("decoder", "participant", "r2")]
        assert r2.estimate == pytest.approx(found, rel=1e-4)
    assert r2.n_participants == (8 if fold else 23)


def test_decoders_of_a_run_are_listed_by_what_they_decode(grouped: Path) -> None:
    table = listed(grouped)
    own = table[table["model"].str.contains("adversarial-age")]
    assert own["classes"].tolist() == ["age"] * 3


def test_a_page_without_anyone_to_score_says_so_and_has_no_empty_sections(
    grouped: Path, aged: Path, job: Job, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(grouped, tmp_path / "out"))
    for path in out.glob("sub-*/func/*_desc-regression_predictions.tsv"):
        path.write_text(path.read_text().replace("false", "true"))  # as if all were seen
    assert job.plain(aged, out, "group") == 0
    assert not (out / "group_desc-regression_scores.tsv").exists()
    assert not (out / "group_desc-summary.json").exists()
    assert not list(out.glob("group_*.nii.gz"))
    page = build_group(out).read_text(encoding="utf-8")
    assert "Nobody can be scored" in page
    assert 'class="missing"' not in page
    assert "farthest" not in page


def test_what_is_of_no_class_is_refused_at_the_group_too(
    grouped: Path, aged: Path, job: Job, capsys: pytest.CaptureFixture[str]
) -> None:
    assert job.plain(aged, grouped, "group", "--atlas", "Schaefer2018") == 64
    assert "--atlas is for the maps of classes" in capsys.readouterr().err


def test_shuffled_ages_are_not_predicted(template: Template, job: Job, tmp_path: Path) -> None:
    root = write_aged_study(tmp_path / "bids", template)
    header, *rows = [
        line.split("\t") for line in (root / "participants.tsv").read_text().splitlines()
    ]
    ages = np.random.default_rng(1).permutation([row[1] for row in rows])
    lines = [header, *([row[0], age, *row[2:]] for row, age in zip(rows, ages, strict=True))]
    (root / "participants.tsv").write_text("\n".join(map("\t".join, lines)) + "\n")
    assert job(root, tmp_path / "out", "participant", *AGE[:2], "--saliency", "gradient") == 0
    assert job.plain(root, tmp_path / "out", "group") == 0
    found = scores(tmp_path / "out")
    for who in ("decoder", "ridge"):
        assert found.loc[(who, "participant", "r2")]["estimate"] < 0.15
        assert found.loc[(who, "participant", "pearson_r")]["p"] > 0.02


def test_the_output_is_a_bids_data_set(grouped: Path) -> None:
    validator = Path(sys.executable).with_name("bids-validator-deno")
    if not validator.exists():
        pytest.skip("bids-validator-deno is not installed")
    done = subprocess.run(
        [str(validator), str(grouped), "--json"], capture_output=True, text=True, check=False
    )
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [each for each in issues if each.get("severity") == "error"] == []
