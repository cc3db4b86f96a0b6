import os
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from fmridecode.bids import worklist


@pytest.mark.parametrize("nprocs", [1, 2])
def test_maps_are_made_in_as_many_processes_as_are_asked_for(
    nprocs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tmp_path)

    def attempt(tasks: Mapping[int, str], *_: object) -> dict[int, str]:
        # a function in a function travels to other processes
        Path(folder, str(os.getpid())).touch()
        return dict(tasks)

    monkeypatch.setattr(worklist, "_attempt", attempt)
    tasks = [str(k) for k in range(50)]
    pending = [k for k in range(50) if k not in (3, 7)]
    made: dict[int, str] = {}
    for few in worklist._run(tasks, pending, None, None, nprocs):
        assert len(few) <= worklist._AT_ONCE
        made |= few
    assert made == {k: str(k) for k in pending}
    made_by = {int(each.name) for each in tmp_path.iterdir()}
    assert 1 <= len(made_by) <= nprocs
    assert (os.getpid() in made_by) == (nprocs == 1)


def test_few_maps_are_made_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    both = threading.Barrier(2, timeout=60)  # passes only where two are at work at once

    def attempt(tasks: Mapping[int, str], *_: object) -> dict[int, str]:
        both.wait()
        return dict(tasks)

    monkeypatch.setattr(worklist, "_attempt", attempt)
    made: dict[int, str] = {}
    for few in worklist._run("abcdefg", range(7), None, None, 2):
        made |= few
    assert made == dict(enumerate("abcdefg"))
