import re
import shlex
from pathlib import Path

import pytest
from spython.main.parse.parsers import get_parser
from typer.main import get_command

from fmridecode.cli.main import LEVELS, make_app
from fmridecode.cli.parameters import one_value_each
from fmridecode.pipeline.lease import EXPIRES, SIGN_OF_LIFE
from fmridecode.pipeline.levels.begin import TRAINING

ROOT = Path(__file__).parents[2]
DEFINITIONS = sorted((ROOT / "singularity").glob("*.def"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.fixture(params=DEFINITIONS, ids=lambda path: path.stem)
def definition(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def base(path: Path) -> str:
    found = re.search(r"(?m)^From: (\S+)$", path.read_text(encoding="utf-8"))
    assert found is not None
    return found.group(1)


def test_a_definition_parses_and_runs_the_app_with_its_arguments(definition: Path) -> None:
    (recipe,) = get_parser("singularity")(str(definition)).parse().values()
    assert recipe.cmd == 'exec /opt/fmridecode/bin/python /opt/fmridecode/run.py "$@"'
    assert recipe.test
    assert "--self-check" in definition.read_text(encoding="utf-8")


def test_there_is_one_of_the_docker_image_and_one_that_needs_no_docker() -> None:
    bases = {path.stem: base(path) for path in DEFINITIONS}
    pinned = re.search(r"(?m)^ARG BASE_IMAGE=(\S+)$", DOCKERFILE)
    assert pinned is not None
    assert bases == {
        "fmridecode": "fmridecode:latest",
        "fmridecode-standalone": pinned.group(1),
    }


def test_the_standalone_one_takes_what_is_in_the_repository() -> None:
    text = (ROOT / "singularity" / "fmridecode-standalone.def").read_text(encoding="utf-8")
    files = re.search(r"(?ms)^%files\n(.*?)^%", text)
    assert files is not None
    for line in files.group(1).split("\n"):
        if line.strip():
            assert (ROOT / line.split()[0]).exists()
    used = set(re.findall(r"\{\{ (\w+) \}\}", text))
    arguments = re.search(r"(?ms)^%arguments\n(.*?)^%", text)
    assert arguments is not None
    assert used == set(re.findall(r"(?m)^ +(\w+)=", arguments.group(1)))


def test_both_images_have_the_same_environment() -> None:
    text = (ROOT / "singularity" / "fmridecode-standalone.def").read_text(encoding="utf-8")
    for name, value in {
        "TEMPLATEFLOW_HOME": "/opt/templateflow",
        "MPLCONFIGDIR": "/tmp/matplotlib",
        "PYTHONDONTWRITEBYTECODE": "1",
    }.items():
        assert f"{name}={value}" in DOCKERFILE
        assert re.search(rf"export {name}=(\$\{{{name}:-)?{re.escape(value)}\}}?\n", text)


def test_every_run_in_the_readme_is_understood_by_the_app() -> None:
    text = (ROOT / "singularity" / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    runs = re.findall(r"(?m)^apptainer run .*fmridecode\.sif (/bids /out .*)$", text)
    assert len(runs) == 3
    for run in runs:
        arguments = one_value_each(shlex.split(run), levels=LEVELS)
        context = get_command(make_app()).make_context("fmridecode", arguments)
        assert context.params["level"] in LEVELS


def test_what_the_readme_says_of_the_training_turn_is_so() -> None:
    text = (ROOT / "singularity" / "README.md").read_text(encoding="utf-8")
    assert f"{TRAINING}" in text
    assert f"touches every {SIGN_OF_LIFE:g} seconds" in text
    assert f"ends after {EXPIRES / 60:g} minutes" in text
