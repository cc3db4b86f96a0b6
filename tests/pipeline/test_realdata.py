from pathlib import Path

import pytest

from fmridecode.bids.derivatives import read_table
from fmridecode.cli.main import main

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
