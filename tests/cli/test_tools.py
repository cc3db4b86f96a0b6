import json
from pathlib import Path

import pytest

from fmridecode.bids import templateflow
from fmridecode.cli import tools
from fmridecode.cli.running import exit_code_of
from fmridecode.errors import TryAgainError


@pytest.fixture(autouse=True)
def offline(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(url: str) -> tuple[bytes, str]:
        raise TryAgainError(f"{url} cannot be reached")

    monkeypatch.setenv("TEMPLATEFLOW_HOME", str(tmp_path_factory.mktemp("templateflow")))
    monkeypatch.setattr(templateflow, "fetch", refuse)


def run(*arguments: str) -> int:
    return exit_code_of(lambda: tools.app(args=list(arguments), standalone_mode=False))


@pytest.fixture
def levels(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Record the command lines that the demo runs, instead of running them."""
    lines: list[list[str]] = []
    monkeypatch.setattr(tools, "run_app", lambda line: lines.append(line) or 0)
    return lines


def test_the_demo_simulates_and_runs_both_levels(
    levels: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert run("demo", str(tmp_path), "--participants", "2") == 0
    settings = json.loads((tmp_path / "bids" / "simulation.json").read_text())
    assert (settings["participants"], len(settings["classes"])) == (2, 7)
    assert len(list((tmp_path / "bids").glob("sub-*/func/*_statmap.nii.gz"))) == 14
    assert [line[2] for line in levels] == ["participant", "group"]
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "fmridecode " + " ".join(levels[0])
    assert said[-1] == f"The report: {tmp_path / 'results' / 'group.html'}"
    assert run("demo", str(tmp_path), "--participants", "1") == 0  # its own folders are replaced
    assert len(list((tmp_path / "bids").glob("sub-*/func/*_statmap.nii.gz"))) == 7


@pytest.mark.parametrize("name", ["bids", "results"])
def test_the_demo_removes_nothing_that_it_did_not_make(
    name: str, levels: list[list[str]], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "precious").touch()
    assert run("demo", str(tmp_path)) == 73
    assert str(tmp_path / name) in capsys.readouterr().err
    assert (tmp_path / name / "precious").exists()
    assert levels == []


def test_simulated_maps_say_what_is_true_of_them(
    tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    out = tmp_path / "bids"
    options = ["--participants", "1", "--classes", "motor,emotion", "--resolution", "8"]
    assert run("simulate", str(out), *options) == 0
    assert len(list(out.glob("sub-*/func/*_statmap.nii.gz"))) == 2
    assert list((out / "truth").glob("task-motor_*_desc-specific_truth.nii.gz"))
    assert run("simulate", str(out), *options) == 73
    assert "is not empty" in capsys.readouterr().err
