import os
from pathlib import Path

import numpy as np
import pytest

from fmridecode.bids.plausibility import Quality
from fmridecode.bids.rows import Journal, Row, RowFile
from fmridecode.bids.standardise import Standardised
from fmridecode.errors import CannotCreateError, ReadWriteError

SHAPE = (3, 4, 5)
QUALITY = Quality(
    coverage=0.9, outside=0.1, cut=(0.0,) * 6, sd=2.0, zeros=0.0, negative=0.5, odd=("small",)
)


def drawn(seed: int) -> Standardised:
    values = np.random.default_rng(seed).normal(size=SHAPE).astype(np.float32)
    return Standardised(values=values, missing=0.25, quality=(QUALITY,))


@pytest.fixture
def file(tmp_path: Path) -> RowFile:
    made = RowFile(path=tmp_path / "rows.npy", length=3, shape=SHAPE)
    made.create()
    return made


def test_rows_written_in_any_order_are_one_array(file: RowFile) -> None:
    rows = {k: file.write(k, str(k), drawn(k)) for k in (2, 0, 1)}
    expected = np.stack([drawn(k).values for k in range(3)])
    np.testing.assert_array_equal(file.mapped(), expected)
    np.testing.assert_array_equal(np.load(file.path), expected)
    for k, row in rows.items():
        found = file.read(k, row)
        assert found is not None
        np.testing.assert_array_equal(found.values, expected[k])
        assert (found.missing, found.quality) == (0.25, (QUALITY,))


def test_where_a_row_lies_does_not_depend_on_how_many_there_are(file: RowFile) -> None:
    lengths = [1, 9, 10, 123_456_789]
    files = [RowFile(path=file.path, length=n, shape=SHAPE) for n in lengths]
    assert len({len(each._header()) for each in files}) == 1


def test_a_row_that_is_damaged_or_not_there_is_not_returned(file: RowFile) -> None:
    row = file.write(1, "1", drawn(1))
    assert file.read(0, row) is None
    content = bytearray(file.path.read_bytes())
    content[file._offset(1) + 7] ^= 1
    file.path.write_bytes(content)
    assert file.read(1, row) is None
    file.path.write_bytes(content[: file._offset(1) + 8])
    assert file.read(1, row) is None
    file.path.unlink()
    assert file.read(1, row) is None


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")
    full = RowFile(path=Path("/dev/full"), length=1, shape=(64, 64, 64))
    large = Standardised(values=np.zeros((64, 64, 64), np.float32), missing=0, quality=())
    with pytest.raises(ReadWriteError, match=r"No space left on device.*--work-dir"):
        full.write(0, "0", large)
    row = Row(key="0", crc32=0, missing=0.0, quality=())
    with pytest.raises(ReadWriteError, match="No space left on device"):
        Journal(Path("/dev/full")).add({0: row})


def test_a_file_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(CannotCreateError, match="cannot be created"):
        RowFile(path=tmp_path / "none" / "rows.npy", length=1, shape=SHAPE).create()


def test_a_journal_returns_its_rows_but_for_a_line_that_was_cut_short(
    file: RowFile, tmp_path: Path
) -> None:
    rows = {k: file.write(k, str(k), drawn(k)) for k in range(3)}
    journal = Journal(tmp_path / "journal")
    assert journal.rows() == {}
    journal.add({0: rows[0], 1: rows[1]})
    journal.add({2: rows[2]})
    assert journal.rows() == rows
    assert isinstance(rows[0], Row)
    os.truncate(journal.path, journal.path.stat().st_size - 9)
    assert journal.rows() == {0: rows[0], 1: rows[1]}
