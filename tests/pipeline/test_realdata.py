import json
from pathlib import Path

import numpy as np
import pytest

from fmridecode.bids.derivatives import read_table
from fmridecode.cli.main import main
from fmridecode.pipeline import reports

PEOPLE = ("01", "05", "06", "07", "08", "09")
OPTIONS = (
    "--label-by contrast --input-space MNI152NLin2009cAsym --resolution 8 --architecture linear "
    "--training adversarial --epochs 8 --folds 3 --ensemble 1 --saliency gradient "
    "--omp-nthreads 1 --nprocs 1"
)


@pytest.fixture
def bids(realdata: Path, tmp_path: Path) -> Path:
    """Return a data set of six real participants, their folders linked."""
    root, source = tmp_path / "bids", realdata / "woo2014"
    root.mkdir()
    for name in ("dataset_description.json", *(f"sub-{who}" for who in PEOPLE)):
        (root / name).symlink_to(source / name)
    return root


@pytest.mark.realdata
def test_real_maps_become_a_report(
    bids: Path, realdata: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (realdata / "templateflow").is_dir():
        monkeypatch.setenv("TEMPLATEFLOW_HOME", str(realdata / "templateflow"))
    out = tmp_path / "out"
    for level in ("participant", "group"):
        assert main([str(bids), str(out), level, *OPTIONS.split()]) == 0
    for who in PEOPLE:
        assert (out / f"sub-{who}.html").is_file()
        maps = {path.name for path in (out / f"sub-{who}" / "func").glob("*_saliency.nii.gz")}
        grid = "space-MNI152NLin2009cAsym_res-08"
        assert f"sub-{who}_task-pain_{grid}_contrast-heat_desc-gradientToHeat_saliency.nii.gz" in (
            maps
        )
        assert len(maps) == 4
    metrics = read_table(out / "group_desc-decoding_metrics.tsv").set_index("metric")["estimate"]
    assert metrics["task_accuracy"] > 0.5
    cia = read_table(out / "group_desc-interpretability_summary.tsv").set_index("criterion")
    assert cia.loc["CIA", "mean"] > 0
    page = (out / "group.html").read_text()
    assert "pain" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


@pytest.mark.realdata
def test_a_random_number_is_not_predicted_from_real_maps(
    realdata: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (realdata / "templateflow").is_dir():
        monkeypatch.setenv("TEMPLATEFLOW_HOME", str(realdata / "templateflow"))
    monkeypatch.setattr(reports, "build_participant", lambda *_: None)
    source, raw, out = realdata / "woo2014", tmp_path / "raw", tmp_path / "out"
    raw.mkdir()
    described = {"Name": "raw", "BIDSVersion": "1.9.0"}
    (raw / "dataset_description.json").write_text(json.dumps(described))
    people = sorted(path.name for path in source.glob("sub-*"))
    drawn = np.random.default_rng(11).normal(size=len(people))
    rows = "".join(f"{who}\t{x:.4f}\n" for who, x in zip(people, drawn, strict=True))
    (raw / "participants.tsv").write_text(f"participant_id\tluck\n{rows}")
    asked = ["-d", f"maps={source}", "--target-column", "luck", *OPTIONS.split()]
    for level in ("participant", "group"):
        assert main([str(raw), str(out), level, *asked]) == 0
    table = read_table(out / "group_desc-regression_scores.tsv")
    scores = table.set_index(["predictor", "unit", "metric"])
    for predictor in ("decoder", "ridge"):
        assert scores.loc[(predictor, "participant", "r2"), "estimate"] < 0.15
        assert scores.loc[(predictor, "participant", "pearson_r"), "p"] > 0.02
    assert "is not shown" in (out / "group.html").read_text(encoding="utf-8")
    sidecar = next((out / people[0] / "func").glob("*_saliency.json"))
    assert json.loads(sidecar.read_text())["TargetSource"] == "BIDS_DIR/participants.tsv"
    table = read_table(out / people[0] / f"func/{people[0]}_desc-regression_predictions.tsv")
    assert table["true"][0] == pytest.approx(drawn[0], abs=1e-4)  # of the raw data set
