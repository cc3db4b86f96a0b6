"""The scripts for SLURM, with a stand-in for sbatch: whole arrays at once on one OUTPUT_DIR."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from fmridecode.bids import templateflow
from fmridecode.bids.derivatives import read_table
from fmridecode.bids.settings import SpaceConfig
from fmridecode.cli.main import main
from fmridecode.errors import TryAgainError
from fmridecode.experiments.study import SimulationConfig
from fmridecode.pipeline import reports
from fmridecode.pipeline.simulate import write_simulation

HERE = Path(__file__).parent
SCRIPTS = HERE.parents[1] / "singularity" / "slurm"
# pages are drawn elsewhere; here they would only cost time
DRIVER = """
import sys
from fmridecode.bids import templateflow
from fmridecode.cli.main import main
from fmridecode.errors import TryAgainError
from fmridecode.pipeline import reports
reports.build_participant = reports.build_group = lambda *_: None
def refuse(url):
    raise TryAgainError(f"{url} cannot be reached")
templateflow.fetch = refuse
from fmridecode.cli.main import main
sys.exit(main(sys.argv[1:]))
"""
OPTIONS = (
    "--resolution 8 --architecture linear --epochs 4 --ensemble 1 --folds 3 --group-column family"
)
SALIENCY = (
    "--saliency gradient --baseline off --faithfulness off --sanity off --reliability off "
    "--robustness off --panels off"  # panels of a typical participant come with a whole run only
)
CHANGING = {"logs", "work"}
"""Folders that say when and how a run was made."""

Submit = Callable[..., Path]


@pytest.fixture
def maps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Path]:
    """Return a maker of data sets."""

    def refuse(url: str) -> tuple[bytes, str]:
        raise TryAgainError(f"{url} cannot be reached")

    monkeypatch.setattr(templateflow, "fetch", refuse)
    monkeypatch.setenv("TEMPLATEFLOW_HOME", str(tmp_path / "home"))

    def make(participants: int) -> Path:
        config = SimulationConfig(
            participants=participants, classes=("emotion", "language"), seed=1
        )
        return write_simulation(tmp_path / "bids", config, SpaceConfig(resolution=8))

    return make


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return variables under which the scripts find the stand-in and run the package."""
    for name in ("bin", "jobs", "home", "tmp"):
        (tmp_path / name).mkdir()
    shutil.copy(HERE / "sbatch", tmp_path / "bin")
    (tmp_path / "driver.py").write_text(DRIVER)
    return {
        **os.environ,
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "JOBS": str(tmp_path / "jobs"),
        "TMPDIR": str(tmp_path / "tmp"),
        "TEMPLATEFLOW_HOME": str(tmp_path / "home"),
        "OMP_NUM_THREADS": "1",
        "FMRIDECODE_COMMAND": f"{sys.executable} {tmp_path / 'driver.py'}",
    }


def run(environment: dict[str, str], line: list[str]) -> None:
    done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def results(out: Path) -> dict[str, bytes]:
    """Return every file but those that say when and how a run was made."""
    found = {
        path.relative_to(out).as_posix(): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.relative_to(out).parts[0] not in CHANGING
    }
    name = "group_desc-summary.json"  # names the record of a run in logs/
    found[name] = re.sub(rb'"(file|sha256)": "[^"]*"', b"", found[name], count=2)
    return found


def check_same(out: Path, serial: Path) -> None:
    ours, theirs = results(out), results(serial)
    assert sorted(ours) == sorted(theirs)
    assert [name for name in theirs if ours[name] != theirs[name]] == []
    for name in ("logs/classes.tsv", "logs/plausibility.tsv"):
        assert (out / name).read_bytes() == (serial / name).read_bytes()
    assert not list(out.rglob(".*.tmp"))
    assert not list(out.rglob("*.lock"))


def serially(bids: Path, out: Path) -> Path:
    """Run both levels in this process."""
    options = [*OPTIONS.split(), *SALIENCY.split(), "--nprocs", "1", "--omp-nthreads", "1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reports, "build_participant", lambda *_: None)
        patch.setattr(reports, "build_group", lambda *_: None)
        for level in ("participant", "group"):
            assert main([str(bids), str(out), level, *options]) == 0
    return out


def test_an_array_leaves_what_one_run_leaves(
    maps: Callable[[int], Path], environment: dict[str, str], tmp_path: Path
) -> None:
    """Nine participants in tasks of three, at once, after the training."""
    bids, out = maps(9), tmp_path / "out"
    environment["PER_TASK"] = "3"
    script = str(SCRIPTS / "submit.sh")
    run(environment, [script, str(bids), str(out), *OPTIONS.split(), *SALIENCY.split()])
    submitted = (tmp_path / "jobs" / "submitted").read_text().splitlines()
    assert [line.split()[:4] for line in submitted] == [
        ["1", "train.sbatch", "dependency=", "array="],
        ["2", "participant.sbatch", "dependency=afterok:1", "array=1-3%32"],
        ["3", "group.sbatch", "dependency=afterany:2", "array="],
    ]
    logs = "".join(path.read_text() for path in (out / "logs" / "slurm").glob("*.log"))
    codes = [(tmp_path / "jobs" / f"{job}.code").read_text().strip() for job in (1, 2, 3)]
    assert codes == ["0", "0", "0"], logs
    assert len(list((out / "logs").glob("*_participant_*.toml"))) == 3
    assert not list((tmp_path / "tmp").glob("tmp.*"))  # the scratch folders are gone
    check_same(out, serially(bids, tmp_path / "serial"))


def test_participants_wait_for_a_training_that_failed_in_vain(
    environment: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "bids" / "sub-01").mkdir(parents=True)
    script = str(SCRIPTS / "submit.sh")
    run(environment, [script, str(tmp_path / "bids"), str(tmp_path / "out")])
    codes = [(tmp_path / "jobs" / f"{job}.code").read_text().strip() for job in (1, 2)]
    assert codes == ["16", "never-satisfied"]  # no dataset_description.json


@pytest.mark.slow
def test_32_runs_at_once_without_decoders_train_once_and_leave_what_one_run_leaves(
    maps: Callable[[int], Path], environment: dict[str, str], tmp_path: Path
) -> None:
    bids, out = maps(32), tmp_path / "out"
    command = environment["FMRIDECODE_COMMAND"].split()
    people = sorted(path.name for path in bids.glob("sub-*"))
    assert len(people) == 32
    runs = []
    for who in people:
        options = [*OPTIONS.split(), *SALIENCY.split(), "--participant-label", who]
        with (tmp_path / f"{who}.log").open("w") as stream:
            line = [*command, str(bids), str(out), "participant", "--nprocs", "1", *options]
            runs.append(subprocess.Popen(line, env=environment, stderr=stream))
    codes = [each.wait() for each in runs]
    logs = [(tmp_path / f"{who}.log").read_text() for who in people]
    assert codes == [0] * 32, "\n".join(logs)
    assert sum("Training linear" in log for log in logs) == 1
    assert sum("waits for its decoders" in log for log in logs) > 0
    group = [str(bids), str(out), "group", *OPTIONS.split(), *SALIENCY.split()]
    run(environment, [*command, *group])
    assert len(read_table(out / "logs" / "plausibility.tsv")) == 32 * 2
    check_same(out, serially(bids, tmp_path / "serial"))
