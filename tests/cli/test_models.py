from pathlib import Path

import pytest
from typer.testing import CliRunner

from fmridecode.cli.tools import app
from fmridecode.pipeline import models


def test_without_a_shipped_decoder_the_list_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "shipped", dict)
    found = CliRunner().invoke(app, ["models", "list"])
    assert found.exit_code == 0
    assert "No decoder is shipped" in found.stdout


def test_every_command_is_in_the_help() -> None:
    found = CliRunner().invoke(app, ["models", "--help"])
    for command in ("list", "show", "verify", "zip", "export"):
        assert command in found.stdout


def test_a_decoder_is_verified_and_zipped_from_the_command_line(
    a_bundle: Path, tmp_path: Path
) -> None:
    run = CliRunner()
    verified = run.invoke(app, ["models", "verify", str(a_bundle)])
    zipped = run.invoke(app, ["models", "zip", str(a_bundle), str(tmp_path / "d.zip")])
    again = run.invoke(app, ["models", "verify", str(tmp_path / "d.zip")])
    assert verified.exit_code == zipped.exit_code == again.exit_code == 0
    assert len({found.stdout.split()[0] for found in (verified, zipped, again)}) == 1
    shown = run.invoke(app, ["models", "show", str(a_bundle)])
    assert "classes: a, b" in shown.stdout
