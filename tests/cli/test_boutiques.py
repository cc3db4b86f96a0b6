import json
from pathlib import Path

import pytest

from fmridecode.cli.boutiques import EXIT_CODES
from fmridecode.cli.main import bids_exec_spec, main
from fmridecode.cli.parameters import all_options
from fmridecode.errors import FmridecodeError

COMMITTED = Path(__file__).parents[2] / "bids_app" / "boutiques.json"
DESCRIPTOR = json.loads(bids_exec_spec())
INPUTS = {each["id"]: each for each in DESCRIPTOR["inputs"]}


def test_the_committed_descriptor_is_that_of_the_parser() -> None:
    remedy = "fmridecode --bids-exec-spec > bids_app/boutiques.json"
    assert COMMITTED.read_text(encoding="utf-8") == bids_exec_spec(), f"run: {remedy}"


def test_the_option_prints_it(capsys: pytest.CaptureFixture) -> None:
    assert main(["--bids-exec-spec"]) == 0
    assert json.loads(capsys.readouterr().out) == DESCRIPTOR


def test_every_option_is_an_input_of_its_kind() -> None:
    flags = {each.get("command-line-flag") for each in DESCRIPTOR["inputs"]}
    for info, _ in all_options():
        assert set(info.flags[0].split("/")) <= flags
    assert INPUTS["participant_label"]["list"] is True
    assert INPUTS["folds"] == {**INPUTS["folds"], "type": "Number", "integer": True}
    assert INPUTS["zscore"]["value-choices"] == ["brain", "volume"]
    assert INPUTS["no_holdout"]["type"] == INPUTS["verbose"]["type"] == "Flag"
    assert INPUTS["epsilon"]["type"] == "String"  # or "auto"
    assert INPUTS["analysis_level"]["value-choices"] == ["train", "participant", "group"]
    assert [each for each in INPUTS if "optional" not in INPUTS[each]] == [
        "bids_dir",
        "output_dir",
        "analysis_level",
    ]


def test_the_command_line_names_every_input_once() -> None:
    words = DESCRIPTOR["command-line"].split()[1:]
    assert words == [each["value-key"] for each in DESCRIPTOR["inputs"]]
    assert len(set(words)) == len(words)


def test_its_exit_codes_are_those_of_the_errors() -> None:
    kinds = FmridecodeError.__subclasses__()
    assert set(EXIT_CODES) == {each.exit_code for each in kinds}


def test_it_is_valid_boutiques() -> None:
    boutiques = pytest.importorskip("boutiques", reason="boutiques is not installed")
    jsonschema = pytest.importorskip("jsonschema")
    schema = Path(boutiques.__file__).parent / "schema" / "descriptor.schema.json"
    jsonschema.validate(DESCRIPTOR, json.loads(schema.read_text()))
