import errno
import os
from pathlib import Path

import pytest

from fmridecode.atomic import atomic, sweep, write_atomically
from fmridecode.errors import CannotCreateError, ReadWriteError


def test_a_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.txt"
    with atomic(path) as stream:
        stream.write(b"half")
        assert not path.exists()
        stream.write(b" whole")
    assert path.read_bytes() == b"half whole"


def test_an_interrupted_file_leaves_nothing_and_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    write_atomically(path, b"old")

    def interrupted() -> None:
        with atomic(path) as stream:
            stream.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ReadWriteError, match=r"a\.txt failed \(No space left"):
        write_atomically(tmp_path / "a.txt", b"x")
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotCreateError, match="cannot be created"):
        write_atomically(tmp_path / "file" / "a.txt", b"x")
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    with pytest.raises(ReadWriteError, match="folder failed"):
        write_atomically(tmp_path / "folder", b"x")


def test_what_killed_runs_left_is_swept_after_a_day(tmp_path: Path) -> None:
    old, new, other = (tmp_path / "a" / n for n in (".x.nii.gz.12ab34cd.tmp", ".y.5.tmp", "z.tmp"))
    old.parent.mkdir()
    for path in (old, new, other):
        path.touch()
    os.utime(old, (0, 0))
    os.utime(other, (0, 0))
    sweep(tmp_path)
    assert sorted(old.parent.iterdir()) == [new, other]
