import json
from pathlib import Path

import pytest

from fmridecode.bids import templateflow
from fmridecode.cli import tools
from fmridecode.cli.running import exit_code_of
from fmridecode.errors import TryAgainError

FEW = ("--smoothgrad-samples", "2")


def run(*arguments: str) -> int:
    return exit_code_of(lambda: tools.app(args=list(arguments), standalone_mode=False))


@pytest.mark.filterwarnings("ignore:.*:UserWarning:captum")
def test_bench_prints_a_table_and_writes_the_same_as_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def refuse(url: str) -> tuple[bytes, str]:
        raise TryAgainError(f"{url} cannot be reached")

    monkeypatch.setenv("TEMPLATEFLOW_HOME", str(tmp_path))
    monkeypatch.setattr(templateflow, "fetch", refuse)
    out = tmp_path / "bench.json"
    parts = [word for part in ("core", "stride1", "participant") for word in ("--part", part)]
    assert run("bench", "--small", "--repeats", "1", "--json", str(out), *parts, *FEW) == 0
    found = json.loads(out.read_text())
    printed = capsys.readouterr()
    table = [line for line in printed.out.splitlines() if line.startswith("| ")]
    assert [line.split("|")[1].strip() for line in table[2:]] == [each["name"] for each in found]
    assert len(found) == 7
    assert {each["name"] for each in found if each["ratio"] is None} == {
        "adversarial step, cnn-stride1 (84480 features), 12x11x10, batch 1"
    }
    assert "same output within" in printed.err
    assert "medians of up to 1 interleaved runs" in printed.err


def test_bench_refuses_a_device_that_is_not_there(capsys: pytest.CaptureFixture) -> None:
    assert run("bench", "--device", "tpu") == 64
    assert "tpu" in capsys.readouterr().err


def test_bench_runs_only_what_is_asked_for(capsys: pytest.CaptureFixture) -> None:
    asked = ("--small", "--repeats", "1", "--part", "core", "--only", "gradient maps")
    assert run("bench", *asked) == 0
    table = [line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")]
    assert len(table) == 3
    assert "| gradient maps, 7 classes" in table[2]
