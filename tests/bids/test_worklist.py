import os
from pathlib import Path

import pytest

from fmridecode.bids import worklist


@pytest.mark.parametrize("nprocs", [1, 2])
def test_maps_are_made_in_as_many_processes_as_are_asked_for(
    nprocs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(tmp_path)

    def attempt(task: int) -> None:  # a function in a function travels to other processes
        Path(folder, str(os.getpid())).touch()

    monkeypatch.setattr(worklist, "_attempt", attempt)
    assert list(worklist._run(range(48), nprocs)) == [None] * 48
    made_by = {int(each.name) for each in tmp_path.iterdir()}
    assert 1 <= len(made_by) <= nprocs
    assert (os.getpid() in made_by) == (nprocs == 1)
