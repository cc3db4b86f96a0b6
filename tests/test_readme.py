"""Every command of the README: small ones are run, heavy ones are parsed by what they call."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import typer
from typer.main import get_command

from fmridecode.bids import templateflow
from fmridecode.bids.settings import SpaceConfig
from fmridecode.bids.templates import Template, target_grid
from fmridecode.cli import tools
from fmridecode.cli.main import LEVELS, main, make_app
from fmridecode.cli.parameters import given_values, one_value_each
from fmridecode.config import compose, preset_values
from fmridecode.errors import TryAgainError
from fmridecode.pipeline import reports
from fmridecode.pipeline.preparing import prepare

ROOT = Path(__file__).parents[1]
OTHERS = {
    "apptainer",
    "cd",
    "docker",
    "export",
    "git",
    "pip",
    "python",
    "sbatch",
    "singularity",
    "torchrun",
}
CONTAINERS = {"apptainer", "docker", "sbatch", "singularity", "torchrun"}
HARMLESS = {  # these mean the same on any data set, so that the command can be run on a tiny one
    "--architecture",
    "--epsilon",
    "--folds",
    "--input-space",
    "--label-by",
    "--participant-label",
    "--preset",
    "--random-seed",
    "--resolution",
    "--saliency",
    "--target-column",
    "--training",
}
TINY = {
    "--resolution": 8,
    "--folds": 3,
    "--epochs": 1,
    "--ensemble": 1,
    "--filters": 2,
    "--halvings": 1,
    "--epsilon": 0.1,
    "--smoothgrad-samples": 1,
    "--smoothgrad-sigma": 1,
    "--nprocs": 1,
    "--omp-nthreads": 1,
    "--device": "cpu",
}


def commands() -> Iterator[list[str]]:
    """Yield the words of every command in the README's sh blocks."""
    path = ROOT / "README.md"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    for block in re.findall(r"^```sh\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE):
        for line in block.replace("\\\n", " ").splitlines():
            for command in line.split("&&"):
                words = shlex.split(command, comments=True)
                while words and re.match(r"^[A-Z_]+=", words[0]):
                    words.pop(0)
                if words:
                    yield words


COMMANDS = list(commands())
IDS = [" ".join(words)[:70] for words in COMMANDS]


def check_app(arguments: list[str]) -> None:
    """Parse a command line of the app, down to the values of its options."""
    try:
        context = get_command(make_app()).make_context(
            "fmridecode", one_value_each(arguments, levels=LEVELS)
        )
    except typer.Exit:  # --help and --version
        return
    assert context.params["level"] in LEVELS
    given = {name: value for name, value in context.params.items() if value != ()}
    compose(preset_values(context.params["preset"]), given_values(given))


def check_tools(arguments: list[str]) -> None:
    group = get_command(tools.app)
    with group.make_context("fmridecode-tools", list(arguments), resilient_parsing=True) as outer:
        name, command, rest = group.resolve_command(outer, list(arguments))
    assert command is not None
    command.make_context(name, rest)


def check_make(targets: list[str]) -> None:
    rules = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    assert {each for each in targets if "=" not in each} <= set(rules)


def check_extras(words: list[str]) -> None:
    declared = (ROOT / "pyproject.toml").read_text()
    for extra in re.findall(r"\[([a-z,]+)\]", " ".join(words)):
        assert all(
            re.search(rf"^{each} = \[", declared, re.MULTILINE) for each in extra.split(",")
        )


def test_the_first_commands_are_the_demo_and_the_tests() -> None:
    assert [words for words in COMMANDS if words[0] == "make"][:2] == [
        ["make", "demo"],
        ["make", "test"],
    ]


@pytest.mark.parametrize("words", COMMANDS, ids=IDS)
def test_every_command_is_understood_by_what_it_calls(words: list[str]) -> None:
    program, rest = words[0], words[1:]
    if words[:3] == ["python", "-m", "fmridecode"]:
        program, rest = "fmridecode", words[3:]
    if program == "make":
        check_make(rest)
    elif program == "fmridecode":
        check_app(rest)
    elif program == "fmridecode-tools":
        check_tools(rest)
    else:
        assert program in OTHERS, f"{program}: say in this test how it is checked"
        check_extras(rest)
        level = next((i for i, word in enumerate(rest) if word in LEVELS), None)
        if program in CONTAINERS and level is not None:
            check_app(rest[level - 2 :])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEMPLATEFLOW_HOME", str(tmp_path_factory.mktemp("templateflow")))
        patch.setattr(templateflow, "fetch", _refuse)
        return target_grid(SpaceConfig(resolution=8))


def _refuse(url: str) -> tuple[bytes, str]:
    raise TryAgainError(f"{url} cannot be reached")


def noise(root: Path, template: Template, contrasts: str) -> Path:
    """Write maps of noise: six participants of six ages, two tasks."""
    random = np.random.default_rng(0)
    root.mkdir()
    (root / "dataset_description.json").write_text(
        '{"Name": "noise", "BIDSVersion": "1.9.0", "DatasetType": "derivative"}'
    )
    ages = "".join(f"sub-{n:02d}\t{20 + 7 * n % 11}\n" for n in range(1, 7))
    (root / "participants.tsv").write_text(f"participant_id\tage\n{ages}")
    for who in ("01", "02", "03", "04", "05", "06"):
        folder = root / f"sub-{who}" / "func"
        folder.mkdir(parents=True)
        for condition in contrasts.split():
            data = random.normal(size=template.grid.shape).astype(np.float32)
            name = f"sub-{who}_{condition}_stat-z_statmap.nii.gz"
            nib.save(nib.Nifti1Image(data, template.grid.matrix), folder / name)
    return root


def small(words: list[str]) -> bool:
    """Whether a command is a plain run whose options mean the same on any data set."""
    options = {word.partition("=")[0].replace("_", "-") for word in words if word[0] == "-"}
    return (
        words[0] == "fmridecode"
        and len(words) > 3
        and words[3] in LEVELS
        and options <= HARMLESS
        and "paper" not in words
    )


def test_plain_runs_work_as_they_stand(
    template: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepare, "target_grid", lambda _: template)
    monkeypatch.setattr(reports, "build_participant", lambda *_: None)
    monkeypatch.setattr(reports, "build_group", lambda *_: None)
    tasks = noise(tmp_path / "tasks", template, "task-pain task-social")
    contrasts = noise(
        tmp_path / "contrasts", template, "task-pain_contrast-heat task-pain_contrast-warmth"
    )
    tiny = [str(each) for pair in TINY.items() for each in pair]
    chosen = [words for words in COMMANDS if small(words)]
    assert {words[3] for words in chosen} >= {"participant", "group"}
    for _, _, out, level, *options in chosen:
        bids = contrasts if any("contrast" in option for option in options) else tasks
        space = [] if "--input-space" in options else ["--input-space", template.grid.space]
        folder = tmp_path / "outputs" / out.strip("/")
        line = [str(bids), str(folder), level, *options, *space, *tiny]
        assert main(line) == 0, " ".join(line)
