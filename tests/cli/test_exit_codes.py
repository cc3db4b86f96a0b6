"""Every exit code of the BIDS execution specification, by a command that ends with it."""

import contextlib
import errno
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from fmridecode import errors
from fmridecode.bids import templateflow
from fmridecode.cli.main import main
from fmridecode.cli.running import exit_code_of
from fmridecode.errors import FmridecodeError, TryAgainError

SPACE = "MNI152NLin2009cAsym"
SMALL = ["--resolution", "8", "--nprocs", "1", "--omp-nthreads", "1"]
Arrange = Callable[[Path, pytest.MonkeyPatch], list[str]]


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(url: str) -> tuple[bytes, str]:
        raise TryAgainError(f"{url} cannot be reached")

    monkeypatch.setattr(templateflow, "fetch", refuse)
    monkeypatch.setenv("TEMPLATEFLOW_HOME", str(tmp_path / "home"))


@pytest.fixture
def bids(tmp_path: Path) -> Path:
    """Write the maps of three participants in two tasks, on a coarse grid about the brain."""
    root = tmp_path / "bids"
    affine = np.array([[10.0, 0, 0, -90], [0, 10, 0, -130], [0, 0, 10, -80], [0, 0, 0, 1]])
    rng = np.random.default_rng(0)
    for who in ("01", "02", "03"):
        for task in "ab":
            path = root / f"sub-{who}/func/sub-{who}_task-{task}_space-{SPACE}_statmap.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            data = rng.normal(size=(19, 23, 19)).astype(np.float32)
            nib.save(nib.Nifti1Image(data, affine), path)
    said = {"Name": "maps", "BIDSVersion": "1.9.0"}
    (root / "dataset_description.json").write_text(json.dumps(said))
    return root


def run(bids: Path, *options: str, level: str = "participant") -> list[str]:
    return [str(bids), str(bids.parent / "out"), level, *SMALL, *options]


def no_description(bids: Path, _: pytest.MonkeyPatch) -> list[str]:
    (bids / "dataset_description.json").unlink()
    return run(bids)


def truncated(bids: Path, _: pytest.MonkeyPatch) -> list[str]:
    for path in bids.rglob("*_task-a_*.nii.gz"):
        path.write_bytes(path.read_bytes()[:200])
    return run(bids)


def blocked(bids: Path, _: pytest.MonkeyPatch) -> list[str]:
    (bids.parent / "out").touch()
    return run(bids)


def full(bids: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fail)
    return run(bids)


def no_network_and_no_stand_in(bids: Path, _: pytest.MonkeyPatch) -> list[str]:
    return run(bids, "--space", "OASIS30ANTs", "--resolution", "2")


CASES: dict[str, tuple[int, str, Arrange]] = {
    "a dry run": (0, "", lambda bids, _: run(bids, "--dry-run")),
    "not BIDS": (16, "dataset_description.json is missing", no_description),
    "no such level": (17, "no analysis level", lambda bids, _: run(bids, level="subject")),
    "filtered away": (
        18,
        "No usable map of participant",
        lambda b, _: run(b, "--participant-label", "09"),
    ),
    "no class": (64, "did you mean hcp7", lambda bids, _: run(bids, "--classes", "hcp")),
    "another space": (64, "download https", lambda b, _: run(b, "--space", "MNI152NLin6Asym")),
    "all damaged": (65, "None of the 3 participants", truncated),
    "no such folder": (66, "does not exist", lambda bids, _: run(bids / "nowhere")),
    "no template": (66, "download https", no_network_and_no_stand_in),
    "no place for output": (73, "cannot be created", blocked),
    "full disk": (74, "No space left on device", full),
}


@pytest.mark.parametrize("name", CASES)
def test_a_command_ends_with_the_code_of_what_is_wrong(
    name: str, bids: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    code, words, arrange = CASES[name]
    assert main(arrange(bids, monkeypatch)) == code
    said = capsys.readouterr().err.splitlines()
    if code:
        assert said[-1].startswith("fmridecode: error: ")
        assert words in said[-1]
        assert said[-1].endswith((".", "?"))
    assert not any("Traceback" in line for line in said)


KINDS = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, FmridecodeError)
]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_has_its_code_and_is_one_line(
    kind: type[FmridecodeError], capsys: pytest.CaptureFixture
) -> None:
    def fail() -> None:
        raise kind("What, where, and what to do.")

    assert exit_code_of(fail) == kind.exit_code
    assert capsys.readouterr().err == "fmridecode: error: What, where, and what to do.\n"


def test_the_codes_are_those_of_the_specification() -> None:
    assert sorted(kind.exit_code for kind in KINDS) == [1, 16, 17, 18, 64, 65, 66, 73, 74, 75]


def test_an_interrupt_is_no_traceback(capsys: pytest.CaptureFixture) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    assert exit_code_of(interrupt) == 130
    assert "The same command goes on from here." in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_to_end_is_try_again_and_one_line(
    number: signal.Signals, capsys: pytest.CaptureFixture
) -> None:
    handler = signal.getsignal(number)
    assert exit_code_of(lambda: os.kill(os.getpid(), number)) == 75
    said = capsys.readouterr().err
    assert said == f"fmridecode: error: {number.name} came. The same command goes on from here.\n"
    assert signal.getsignal(number) is handler


def test_what_falls_over_when_told_to_end_is_no_traceback(capsys: pytest.CaptureFixture) -> None:
    def fall_over() -> None:
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(1)
        raise RuntimeError("a worker is gone")

    assert exit_code_of(fall_over) == 75
    assert "SIGTERM came" in capsys.readouterr().err
