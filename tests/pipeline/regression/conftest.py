"""A data set with an age in it, and the output of one whole run on it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fmridecode.bids.templates import Template

from .aged_study import write_aged_study

Job = Callable[..., int]
AGE = ("--target-column", "age", "--epochs", "256")


@pytest.fixture(scope="session")
def aged(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return maps of two tasks of 24 participants; one has no age. Not to be changed."""
    root = write_aged_study(
        tmp_path_factory.mktemp("aged") / "bids", template, tasks=("faces", "words")
    )
    table = root / "participants.tsv"
    lines = table.read_text().splitlines()
    cells = lines[3].split("\t")
    lines[3] = "\t".join([cells[0], "n/a", *cells[2:]])
    table.write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture(scope="session")
def predicted(aged: Path, job: Job, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the output of the level participant; not to be changed."""
    out = tmp_path_factory.mktemp("predicted") / "out"
    assert job(aged, out, "participant", *AGE) == 0
    return out
