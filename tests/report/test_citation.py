import shutil
from pathlib import Path

import pytest

from fmridecode.report import write_citation
from fmridecode.report.references import parse


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """Return the logs and tables of a finished run, to be changed at will."""
    ignored = shutil.ignore_patterns("*.nii.gz", "*.html", "figures")
    return Path(shutil.copytree(finished, tmp_path / "out", ignore=ignored))


def test_what_is_cited_lies_beside_the_text_that_cites_it(copy: Path) -> None:
    write_citation(copy)
    text = (copy / "logs" / "CITATION.md").read_text(encoding="utf-8")
    found = parse((copy / "logs" / "CITATION.bib").read_text(encoding="utf-8"))
    assert "made with fmridecode 0.1.0" in text
    assert {"McClure et al., 2020", "Smilkov et al., 2017", "Guo et al., 2017"} <= set(found)
    for label, each in found.items():
        assert label in text
        assert each.written in text
    assert "Madry et al., 2018" not in found


def test_parallel_jobs_that_agree_leave_the_files_alone(copy: Path) -> None:
    write_citation(copy)
    before = [path.stat().st_mtime_ns for path in (copy / "logs").glob("CITATION.*")]
    write_citation(copy)
    assert [path.stat().st_mtime_ns for path in (copy / "logs").glob("CITATION.*")] == before


def test_before_any_result_the_settings_are_enough(copy: Path) -> None:
    for path in copy.glob("group_*"):
        path.unlink()
    write_citation(copy)
    text = (copy / "logs" / "CITATION.md").read_text(encoding="utf-8")
    assert "None" not in text
    assert "Algorithm 1 of McClure et al., 2020" in text
