import os
import tempfile
from pathlib import Path

import pytest

from fmridecode.bundles.shipped import shipped
from fmridecode.cli.main import main
from fmridecode.pipeline import self_check as module
from fmridecode.pipeline.self_check import self_check


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPLATEFLOW_HOME", str(tmp_path / "templateflow"))


def test_every_thing_is_one_line_and_a_machine_without_gpu_and_templates_will_do(
    capsys: pytest.CaptureFixture,
) -> None:
    assert main(["--self-check"]) == 0
    lines = capsys.readouterr().out.splitlines()
    said = dict(line.split(": ", 1) for line in lines)
    assert list(said) == [
        "fmridecode",
        "python",
        "torch",
        "device",
        "libraries",
        "templates",
        "decoders",
        "temporary files",
        "matplotlib",
        "memory and cores",
    ]
    assert said["device"].startswith(("cpu. ", "cuda, "))
    assert "MNI152NLin2009cAsym 0 of " in said["templates"]
    assert said["temporary files"].endswith(", writable")
    assert not list(Path(os.environ["TEMPLATEFLOW_HOME"]).parent.iterdir())  # nothing is made


def test_no_place_for_temporary_files_is_code_73(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def refuse() -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert main(["--self-check"]) == 73
    said = capsys.readouterr()
    assert "temporary files: cannot be written (Read-only file system)" in said.out
    assert "memory and cores: " in said.out  # all lines are printed all the same
    assert said.err.splitlines()[-1].endswith("name a folder with TMPDIR.")


def test_a_broken_library_is_code_66_and_its_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def broken() -> None:
        raise ImportError("libstdc++.so.6: cannot open shared object file")

    monkeypatch.setattr(module, "_torch", broken)
    assert main(["--self-check"]) == 66
    said = capsys.readouterr()
    assert "torch: ImportError: libstdc++.so.6" in said.out
    assert "install fmridecode again" in said.err


def test_shipped_decoders_are_listed() -> None:
    said = {each.name: each.said for each in self_check()}
    assert said["decoders"] == (", ".join(shipped()) or "none shipped")
