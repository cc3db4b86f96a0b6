"""Killed runs, full disks, two runs at once: the same command finishes with the same results."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import safetensors.torch
import torch

from fmridecode.experiments.study import SimulationConfig
from fmridecode.pipeline import simulate

from .conftest import CLASSES, OPTIONS

# pages are drawn elsewhere; here they would only cost time
DRIVER = """
import sys
from fmridecode.bids import templateflow
from fmridecode.errors import TryAgainError
from fmridecode.pipeline import reports
reports.build_participant = reports.build_group = lambda *_: None
def refuse(url):
    raise TryAgainError(f"{url} cannot be reached")
templateflow.fetch = refuse
from fmridecode.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
CHANGING = ("logs", "work")
"""Folders that say when and how a run was made."""


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory, template) -> Path:
    config = SimulationConfig(participants=6, classes=CLASSES, largest_family=1, seed=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulate, "target_grid", lambda _: template)
        root = tmp_path_factory.mktemp("few") / "bids"
        return simulate.write_simulation(root, config, simulate.SpaceConfig(resolution=8))


def start(
    few: Path,
    out: Path,
    *options: str,
    level: str = "participant",
    by: tuple[str, ...] = ("-c", DRIVER),
) -> subprocess.Popen[str]:
    line = [str(few), str(out), level, *OPTIONS, "--epochs", "2", *options]
    home = few.parent / "templateflow"
    return subprocess.Popen(
        [sys.executable, *by, *line],
        env={**os.environ, "TEMPLATEFLOW_HOME": str(home), "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=300)
    assert "Traceback" not in said, said[-2000:]
    return process.returncode, said


def results(out: Path) -> dict[str, bytes]:
    """Return every file that a run leaves, but what says when it was made and temporary ones."""
    return {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file()
        and path.relative_to(out).parts[0] not in CHANGING
        and not path.name.startswith(".")
    }


@pytest.fixture(scope="module")
def undisturbed(few: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    out = tmp_path_factory.mktemp("undisturbed") / "out"
    begun = time.monotonic()
    code, said = finished(start(few, out))
    assert code == 0, said
    return out, time.monotonic() - begun


def test_a_run_killed_again_and_again_goes_on_to_the_same_results(
    few: Path, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    """Kill at two moments, the second further in the work, then let the run finish."""
    expected, seconds = undisturbed
    for share in (0.55, 0.8):
        process = start(few, tmp_path / "out")
        time.sleep(share * seconds)
        process.kill()
        process.communicate(timeout=300)
    code, said = finished(start(few, tmp_path / "out"))
    assert code == 0, said
    assert results(tmp_path / "out") == results(expected)


def test_sigterm_is_one_line_and_the_run_goes_on_to_the_same_results(
    few: Path, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    process = start(few, tmp_path / "out")
    while not (tmp_path / "out" / "models").exists() and process.poll() is None:
        time.sleep(0.02)
    process.terminate()
    code, said = finished(process)
    assert code == 75
    assert "SIGTERM came" in said.splitlines()[-1]
    assert said.splitlines()[-1].endswith("The same command goes on from here.")
    assert not list((tmp_path / "out").rglob("*.tmp"))
    assert finished(start(few, tmp_path / "out"))[0] == 0
    assert results(tmp_path / "out") == results(undisturbed[0])


def test_two_runs_at_once_do_not_damage_each_other(
    few: Path, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    both = [start(few, tmp_path / "out") for _ in range(2)]
    assert [finished(each)[0] for each in both] == [0, 0]
    assert results(tmp_path / "out") == results(undisturbed[0])


def models(out: Path) -> dict[str, bytes]:
    return {name: each for name, each in results(out).items() if name.startswith("models/")}


def test_folds_trained_by_jobs_at_once_are_those_of_one_run(
    few: Path, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    parts = (("1", "3"), ("2",))
    jobs = [start(few, tmp_path / "out", "--fold", *each, level="train") for each in parts]
    for each in jobs:
        code, said = finished(each)
        assert code == 0, said
    assert models(tmp_path / "out") == models(undisturbed[0])


def test_torchrun_trains_the_same_decoders_and_one_process_writes(
    few: Path, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    (tmp_path / "driver.py").write_text(DRIVER)
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    by = (*torchrun, str(tmp_path / "driver.py"))
    code, said = finished(start(few, tmp_path / "out", level="train", by=by))
    assert code == 0, said
    assert said.count("Fold 1 of 3") == 1
    assert len(list((tmp_path / "out" / "logs").glob("*_train_*.toml"))) == 1
    ours, alone = models(tmp_path / "out"), models(undisturbed[0])
    assert ours.keys() == alone.keys()
    for name in ours:
        if name.endswith("model.safetensors"):
            theirs = safetensors.torch.load(alone[name])
            for tensor, value in safetensors.torch.load(ours[name]).items():
                # Adam makes a step of a gradient that is 0 but for rounding
                torch.testing.assert_close(value, theirs[tensor], rtol=1e-3, atol=1e-4)


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a tmpfs, or skip with the reason."""
    folder.mkdir()
    options = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    done = subprocess.run(options, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.mark.parametrize("size", ["300k", "1500k"])
def test_a_full_disk_is_one_line_and_with_more_space_the_results_are_the_same(
    few: Path, undisturbed: tuple[Path, float], tmp_path: Path, size: str
) -> None:
    with small_disk(tmp_path / "disk", size) as disk:
        code, said = finished(start(few, disk / "out"))
        assert code in (73, 74), said
        assert "No space left on device" in said.splitlines()[-1]
        assert "free some space" in said.splitlines()[-1]
        subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)
        assert finished(start(few, disk / "out"))[0] == 0
        assert results(disk / "out") == results(undisturbed[0])


def test_read_only_input_is_enough(
    few: Path, undisturbed: tuple[Path, float], tmp_path: Path
) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    for options in (["--bind", str(few)], ["-o", "remount,ro,bind"]):
        line = ["mount", *options, str(folder)]
        done = subprocess.run(line, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"a folder cannot be mounted read-only: {done.stderr.strip()}")
    try:
        with pytest.raises(OSError, match="Read-only"):
            (folder / "x").touch()
        assert finished(start(folder, tmp_path / "out"))[0] == 0
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)
    ours, theirs = results(tmp_path / "out"), results(undisturbed[0])
    assert [name for name in theirs if ours[name] != theirs[name]] == ["dataset_description.json"]
