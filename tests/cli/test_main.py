import subprocess
import sys
from pathlib import Path

import pytest

from fmridecode.cli.main import main
from fmridecode.config import compose, preset_values


def test_help_is_grouped_and_names_every_kind_of_option(capsys: pytest.CaptureFixture) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for heading in ("Which maps", "Space", "Decoder", "Training", "Saliency", "Execution"):
        assert heading in text


def test_help_loads_no_heavy_library() -> None:
    code = (
        "import sys; from fmridecode.cli.main import main; main(['--help']); "
        "heavy = {'torch', 'nilearn', 'bids', 'pandas', 'nibabel', 'scipy'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_module_runs_as_a_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "fmridecode", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("fmridecode ")


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("in out evaluate", 17, "'evaluate' is no analysis level; use train, participant, group"),
        ("in out train --no-such-option", 64, "No such option"),
        ("in out", 64, "Missing argument"),
        ("in out train --folds many", 64, "--folds"),
        ("in out train --folds 1", 64, "--folds is 1; expected 2 or more"),
        ("in out train --label-by subject", 64, "--label-by"),
        ("in out train --config-file nowhere.toml", 66, "nowhere.toml does not exist"),
        ("/nonexistent out train", 66, "/nonexistent"),
        ("/nonexistent out participant --device tpu", 64, "--device is 'tpu'"),
    ],
)
def test_a_mistake_is_one_line_and_a_documented_code(
    line: str,
    code: int,
    words: str,
    capsys: pytest.CaptureFixture,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(line.split()) == code
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert words in message
    assert "Traceback" not in message


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('[model]\nfilters = ["a"]', "filters of [model] holds 'a'"),
        ("[input]\nparticipant_label = [1]", "participant_label of [input] holds 1"),
        ('[input]\nlabel_by = "subject"', "label_by of [input] is 'subject'; choose one of task"),
        ('[space]\nzscore = "head"', "zscore of [space] is 'head'; choose one of brain, volume"),
        ("[model]\nfilters = 8", "expected a value of type list"),
        ("[model\n", "is not valid TOML"),
    ],
)
def test_a_config_file_with_a_bad_value_is_one_line(
    toml: str, words: str, capsys: pytest.CaptureFixture, tmp_path: Path
) -> None:
    path = tmp_path / "run.toml"
    path.write_text(toml)
    line = [str(tmp_path / "in"), str(tmp_path / "out"), "train", "--config-file", str(path)]
    assert main(line) == 64
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert words in message


def test_no_maps_at_all_is_one_line(
    capsys: pytest.CaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bids = tmp_path / "bids"
    bids.mkdir()
    (bids / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.9.0"}')
    assert main([str(bids), str(tmp_path / "out"), "participant"]) == 66
    assert str(bids) in capsys.readouterr().err.splitlines()[-1]
    assert not list((tmp_path / "out").rglob("sub-*"))


def test_help_shows_what_the_default_preset_gives(capsys: pytest.CaptureFixture) -> None:
    main(["--help"])
    words = capsys.readouterr().out
    default = compose(preset_values("default")).training.epochs
    after = words[words.index("--epochs") :]
    assert f"[default: ({default})]" in after[: after.index("--batch-size")].replace("\n", " ")
