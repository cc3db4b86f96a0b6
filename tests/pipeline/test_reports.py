import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fmridecode.pipeline import reports


@pytest.fixture
def copy(whole: Path, tmp_path: Path) -> Path:
    """Return the output of the whole run, to be changed at will."""
    return Path(shutil.copytree(whole, tmp_path / "out"))


WITHOUT_TORCH = """
import sys
class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ImportError("torch is not to be imported")
sys.meta_path.insert(0, NoTorch())
from fmridecode.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def files(root: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def test_reports_only_writes_pages_and_nothing_else(
    copy: Path, study: Path, job: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(copy)
    pages: list[str] = []
    monkeypatch.setattr(reports, "write_pages", lambda out, labels, nprocs: pages.extend(labels))
    assert job(study, copy, "participant", "--reports-only") == 0
    assert len(pages) == 9
    pages.clear()
    assert job(study, copy, "participant", "--reports-only", "--participant-label", "sub-002") == 0
    assert pages == ["002"]
    assert files(copy) == before


@pytest.mark.parametrize("level", ["group", "participant"])
def test_pages_are_written_where_torch_cannot_be_imported(
    level: str, copy: Path, tmp_path: Path
) -> None:
    line = [str(tmp_path), str(copy), level, "--reports-only", "--nprocs", "1"]
    who = ["--participant-label", "001"] if level == "participant" else []
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_TORCH, *line, *who],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = copy / ("group.html" if level == "group" else "sub-001.html")
    assert "</html>" in page.read_text(encoding="utf-8")
