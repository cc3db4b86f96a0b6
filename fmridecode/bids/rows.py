"""A file of prepared maps, one after the other, that several processes write into at once."""

import contextlib
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Literal, Self

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.plausibility import Quality
from fmridecode.bids.standardise import Standardised
from fmridecode.errors import CannotCreateError, ReadWriteError


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What is said of one prepared map beside its values.

    Parameters
    ----------
    key
        See `fmridecode.bids.cache.map_key`.
    crc32
        Of the values' bytes.
    missing, quality
        As in `fmridecode.bids.standardise.Standardised`.
    """

    key: str
    crc32: int
    missing: float
    quality: tuple[Quality, ...]

    def to_json(self) -> dict[str, Any]:
        """Return what JSON can write."""
        return asdict(self)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """Rebuild what `to_json` made of it."""
        return cls(**{**said, "quality": tuple(map(Quality.from_json, said["quality"]))})


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFile:
    """An ``.npy`` file of ``length`` maps of one shape, written and read a row at a time.

    Rows are written and read as files are, not through a memory map: a full disk is then an
    error and not the end of the process, and memory is that of one map.
    """

    path: Path
    length: int
    shape: tuple[int, ...]

    def create(self) -> None:
        """Make the file, without any row.

        Raises
        ------
        CannotCreateError
            It cannot be made.
        """
        try:
            with self.path.open("xb") as stream:
                stream.write(self._header())
                stream.truncate(self._offset(self.length))
        except OSError as error:
            raise CannotCreateError(
                f"{self.path} cannot be created ({error.strerror}); choose another --work-dir."
            ) from error

    def write(self, position: int, key: str, prepared: Standardised) -> Row:
        """Write one map, and return what is to be said of it.

        Raises
        ------
        ReadWriteError
            For instance because the disk is full.
        """
        content = np.ascontiguousarray(prepared.values, dtype="<f4").data.cast("B")
        with _written(self.path, "r+b") as stream:
            stream.seek(self._offset(position))
            stream.write(content)
        return Row(
            key=key,
            crc32=zlib.crc32(content),
            missing=prepared.missing,
            quality=prepared.quality,
        )

    def read(self, position: int, row: Row) -> Standardised | None:
        """Return one map, or None where it is missing or its checksum differs."""
        values = np.empty(self.shape, dtype="<f4")
        content = values.data.cast("B")
        try:
            with self.path.open("rb") as stream:
                stream.seek(self._offset(position))
                if stream.readinto(content) != len(content):
                    return None
        except OSError:
            return None
        if zlib.crc32(content) != row.crc32:
            return None
        return Standardised(values=values, missing=row.missing, quality=row.quality)

    def to_disk(self) -> None:
        """Wait until what has been written so far would survive a power cut."""
        with _written(self.path, "r+b") as stream:
            os.fsync(stream.fileno())

    def mapped(self) -> NDArray[np.float32]:
        """Return all rows, memory-mapped and read-only."""
        values = np.lib.format.open_memmap(self.path, mode="r")
        if values.shape != (self.length, *self.shape) or values.dtype != np.dtype("<f4"):
            raise ValueError(f"it holds {values.dtype} of the shape {values.shape}")
        return values

    def _header(self) -> bytes:
        header = BytesIO()
        said = {"descr": "<f4", "fortran_order": False, "shape": (self.length, *self.shape)}
        np.lib.format.write_array_header_1_0(header, said)  # padded to 64 bytes
        return header.getvalue()

    def _offset(self, position: int) -> int:
        return len(self._header()) + 4 * position * int(np.prod(self.shape))


class Journal:
    """Which rows of a file are whole: one line of JSON each, so that a killed run goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, rows: Mapping[int, Row]) -> None:
        """Record rows by their positions.

        Raises
        ------
        ReadWriteError
            For instance because the disk is full.
        """
        lines = [json.dumps([position, row.to_json()]) + "\n" for position, row in rows.items()]
        with _written(self.path, "ab") as stream:
            stream.write("".join(lines).encode())

    def rows(self) -> dict[int, Row]:
        """Return the rows by their positions; a line that was cut short is left out."""
        found: dict[int, Row] = {}
        with contextlib.suppress(OSError):
            for line in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
                with contextlib.suppress(ValueError, TypeError, KeyError):
                    position, said = json.loads(line)
                    found[position] = Row.from_json(said)
        return found


@contextlib.contextmanager
def _written(path: Path, mode: Literal["r+b", "ab"]) -> Iterator[BinaryIO]:
    try:
        with path.open(mode) as stream:
            yield stream
    except OSError as error:
        raise ReadWriteError(
            f"Writing {path} failed ({error.strerror or error}); free some space or choose "
            "another --work-dir, then run the same command again."
        ) from error
