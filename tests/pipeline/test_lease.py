import logging
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from fmridecode.errors import CannotCreateError
from fmridecode.pipeline import lease as module
from fmridecode.pipeline.lease import lease

MARKER = ".lock"

HOLDER = """
import sys, time
from pathlib import Path
from fmridecode.pipeline.lease import lease
with lease(Path(sys.argv[1], ".lock"), asks=1):
    print("held", flush=True)
    time.sleep(120)
"""


def hold(models: Path) -> subprocess.Popen[str]:
    line = [sys.executable, "-c", HOLDER, str(models)]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_one_run_at_a_time_has_the_turn(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        with lease(tmp_path / "models" / MARKER, asks=0.02):
            inside.append(number)
            most.append(len(inside))
            time.sleep(0.05)
            inside.remove(number)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert most == [1] * 6
    assert not (tmp_path / "models" / MARKER).exists()


def test_the_turn_of_a_killed_run_is_taken_over_at_once(
    tmp_path: Path,
) -> None:
    with hold(tmp_path) as process:
        process.kill()
    assert (tmp_path / MARKER).exists()
    begun = time.monotonic()
    with lease(tmp_path / MARKER, asks=0.02, waiting="Another run waits."):
        assert time.monotonic() - begun < 5


def test_a_live_run_is_waited_for_and_the_log_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "fmridecode")
    with hold(tmp_path) as process:

        def end() -> None:
            process.terminate()
            process.wait()  # or its number would stay taken

        threading.Timer(0.5, end).start()
        begun = time.monotonic()
        with lease(tmp_path / MARKER, asks=0.02, waiting="Another run waits."):
            assert time.monotonic() - begun > 0.4
    assert "Another run waits. (If that run was killed" in caplog.text


def test_a_run_on_another_machine_is_taken_over_when_it_gives_no_sign_of_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EXPIRES", 0.6)
    monkeypatch.setattr(module, "SIGN_OF_LIFE", 0.2)
    with lease(tmp_path / MARKER, asks=0.02, waiting="Another run waits."):
        said = (tmp_path / MARKER).read_text()
    (tmp_path / MARKER).write_text(re.sub("(?m)^host=.*", "host=elsewhere", said))
    begun = time.monotonic()
    with lease(tmp_path / MARKER, asks=0.02, waiting="Another run waits."):
        assert 0.5 < time.monotonic() - begun < 10


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with (
        pytest.raises(CannotCreateError, match="choose a place"),
        lease(tmp_path / MARKER, asks=0.02, waiting="Another run waits."),
    ):
        pass
