"""What containers on clusters do to a process, done to the command line itself.

A read-only file system, no network, a user id without a name, no home, an empty environment.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fmridecode.bids import templateflow
from fmridecode.bids.settings import SpaceConfig
from fmridecode.errors import TryAgainError
from fmridecode.experiments.study import SimulationConfig
from fmridecode.pipeline.simulate import write_simulation

NOBODY = 54321
ROOT = Path(__file__).parents[2]
CONFINE = """
mount --bind "$1" "$1" || exit 90
if [ -n "$CLOSED" ]; then  # where Python lies in the home of root, say
    mount --bind "$PREFIX" "$1/tmp" && mount -t tmpfs -o mode=755 none "$CLOSED" &&
        mkdir -p "$PREFIX" && mount --bind "$1/tmp" "$PREFIX" && umount "$1/tmp" || exit 90
fi
mount -o remount,ro,bind / || exit 90
touch /fmridecode-was-here 2>/dev/null && exit 91
writable=$1; shift
exec setpriv --reuid "$NOBODY" --regid "$NOBODY" --clear-groups env -i PATH=/usr/bin:/bin \
    PYTHONPATH="$SOURCE" PYTHONDONTWRITEBYTECODE=1 OMP_NUM_THREADS=1 \
    HOME=/nonexistent TMPDIR="$writable/tmp" TEMPLATEFLOW_HOME=/nonexistent "$@"
"""

PREFIX = Path(sys.base_prefix)
CLOSED = [each for each in PREFIX.parents if not each.stat().st_mode & 0o001]
Confined = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def writable() -> Iterator[Path]:
    """Return a folder that the nameless user owns; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        folder = Path(name) / "writable"
        for each in (folder, folder / "tmp", folder / "out"):
            each.mkdir()
            if os.geteuid() == 0:
                os.chown(each, NOBODY, NOBODY)
        yield folder


@pytest.fixture
def confined(writable: Path) -> Confined:
    """Return a function that runs Python with arguments so, or skip with the reason."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        line = ["unshare", "--mount", "--net", "sh", "-c", CONFINE, "sh", str(writable)]
        return subprocess.run(
            [*line, sys.executable, *arguments],
            env={
                **os.environ,
                "NOBODY": str(NOBODY),
                "SOURCE": str(ROOT),
                "PREFIX": str(PREFIX),
                "CLOSED": str(CLOSED[-1]) if CLOSED else "",
            },
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
        )

    if os.geteuid() != 0:
        pytest.skip("only root can mount a read-only file system and become another user")
    tried = run("-c", "import os, pwd; print(os.getuid())")
    if tried.stdout != f"{NOBODY}\n":
        pytest.skip(f"the conditions cannot be made here: {tried.returncode} {tried.stderr}")
    return run


def test_the_self_check_passes_and_says_what_is_not_writable(confined: Confined) -> None:
    done = confined("-m", "fmridecode", "--self-check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "temporary files: " in done.stdout
    assert "templates: /nonexistent: MNI152NLin2009cAsym 0 of " in done.stdout
    assert "Traceback" not in done.stderr


def test_a_run_needs_nothing_but_its_output_folder_and_temporary_files(
    confined: Confined, writable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(url: str) -> tuple[bytes, str]:
        raise TryAgainError(f"{url} cannot be reached")

    monkeypatch.setattr(templateflow, "fetch", refuse)
    monkeypatch.setenv("TEMPLATEFLOW_HOME", "/nonexistent")
    config = SimulationConfig(participants=6, classes=("emotion", "language"), seed=1)
    bids = write_simulation(writable.parent / "bids", config, SpaceConfig(resolution=8))
    out = writable / "out"
    options = "--resolution 8 --architecture linear --epochs 2 --ensemble 1 --folds 3"
    options += " --saliency gradient --baseline off --faithfulness off --nprocs 2"
    options += " --sanity off --reliability off --robustness off"
    line = [str(bids), str(out), "participant", *options.split(), "--participant-label", "001"]
    done = confined("-m", "fmridecode", *line)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (out / "sub-001.html").stat().st_size > 10_000
    assert {path.stat().st_uid for path in out.rglob("*")} == {NOBODY}


def test_an_output_folder_that_cannot_be_written_is_one_line(
    confined: Confined, writable: Path
) -> None:
    bids = writable.parent / "bids"
    bids.mkdir()
    (bids / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.9.0"}')
    done = confined("-m", "fmridecode", str(bids), "/fmridecode-out", "participant")
    assert done.returncode == 73
    assert done.stderr.splitlines()[-1].endswith("choose a place you may write to.")
