"""Prepared maps on disk in one memory-mapped array, so that a second run opens no image."""

import contextlib
import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.atomic import write_atomically
from fmridecode.bids.plausibility import Quality
from fmridecode.bids.rows import Journal, Row, RowFile
from fmridecode.bids.standardise import Standardised
from fmridecode.errors import ReadWriteError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Prepared maps in one memory-mapped array, with what was said of each."""

    values: NDArray[np.float32]
    rows: tuple[Row, ...]

    @property
    def missing(self) -> list[float]:
        """Share of the brain without data, of each map."""
        return [each.missing for each in self.rows]

    @property
    def quality(self) -> list[tuple[Quality, ...]]:
        """What there is to say of each map's sources."""
        return [each.quality for each in self.rows]


def load_stack(folder: Path, keys: Sequence[str], shape: tuple[int, ...]) -> Stack | None:
    """Return the maps of these keys in this order, or None when missing or damaged."""
    path = _stack_path(folder, keys)
    try:
        rows = _said(path)
        file = RowFile(path=path, length=len(keys), shape=shape)
        values = file.mapped()
        if [each.key for each in rows] != list(keys):
            raise ValueError("it is said to hold other maps")
        if any(file.read(position, row) is None for position, row in enumerate(rows)):
            raise ValueError("a checksum differs")
    except FileNotFoundError:
        return None
    except Exception as error:  # numpy and json fail on damaged files in many ways
        log.warning("%s is damaged (%s); it is made again", path, error)
        return None
    return Stack(values=values, rows=rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A row of some file of the folder."""

    file: Path
    position: int
    row: Row

    def read(self, shape: tuple[int, ...]) -> Standardised | None:
        """Return the map, or None where it is gone or damaged."""
        file = RowFile(path=self.file, length=self.position + 1, shape=shape)
        return file.read(self.position, self.row)


def kept_rows(folder: Path, keys: Sequence[str]) -> dict[str, Kept]:
    """Find maps in other stacks of a folder, and in those that runs did not finish."""
    wanted = set(keys)
    return {
        row.key: Kept(file=file, position=position, row=row)
        for file, rows in _all_rows(folder)
        for position, row in rows.items()
        if row.key in wanted
    }


def _all_rows(folder: Path) -> Iterator[tuple[Path, Mapping[int, Row]]]:
    for path in sorted(folder.glob("stack-*.json")):
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
            yield path.with_suffix(".npy"), dict(enumerate(_said(path.with_suffix(".npy"))))
    for path in sorted(folder.glob(".rows-*.jsonl.tmp")):
        yield _data_of(path), Journal(path).rows()


class Unfinished:
    """A stack in the making; what it holds when a run is killed is found by `kept_rows`.

    Parameters
    ----------
    folder, keys, shape
        As for `load_stack`.
    """

    def __init__(self, folder: Path, keys: Sequence[str], shape: tuple[int, ...]) -> None:
        journal = folder / f".rows-{uuid4().hex[:8]}.jsonl.tmp"  # swept a day after a kill
        self.folder, self.keys = folder, tuple(keys)
        self.file = RowFile(path=_data_of(journal), length=len(keys), shape=shape)
        self.journal = Journal(journal)
        self.rows: dict[int, Row] = {}
        self.file.create()

    def add(self, rows: Mapping[int, Row]) -> None:
        """Record rows that processes have written, and bring them to the disk."""
        if rows:
            self.rows |= rows
            self.file.to_disk()
            self.journal.add(rows)

    def finish(self) -> Stack:
        """Give the file its name; it holds every row.

        Raises
        ------
        ReadWriteError
            It cannot be read back.
        """
        path = _stack_path(self.folder, self.keys)
        rows = tuple(self.rows[position] for position in range(len(self.keys)))
        said = json.dumps([each.to_json() for each in rows])
        try:
            self.file.path.replace(path)
            write_atomically(path.with_suffix(".json"), said.encode())
            values = RowFile(path=path, length=len(rows), shape=self.file.shape).mapped()
        except (OSError, ValueError) as error:
            raise ReadWriteError(
                f"{path} cannot be read back ({error}); choose another --work-dir."
            ) from error
        self.discard()
        return Stack(values=values, rows=rows)

    def discard(self) -> None:
        """Remove what is left of it."""
        for path in (self.journal.path, self.file.path):
            with contextlib.suppress(OSError):
                path.unlink()


def _data_of(journal: Path) -> Path:
    return journal.with_name(journal.name.replace(".jsonl.tmp", ".npy.tmp"))


def _stack_path(folder: Path, keys: Sequence[str]) -> Path:
    """Name the file of all maps; it changes when any of them does."""
    digest = hashlib.sha256("".join(keys).encode()).hexdigest()
    return folder / f"stack-{digest[:32]}.npy"


def _said(path: Path) -> tuple[Row, ...]:
    said = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    return tuple(map(Row.from_json, said))
