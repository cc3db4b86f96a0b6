"""Prepared maps on disk, so that a second run opens no image."""

import hashlib
import json
import logging
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.atomic import atomic, write_atomically
from fmridecode.bids.standardise import RULE, Standardised
from fmridecode.core.grid import Grid
from fmridecode.errors import NoInputError

log = logging.getLogger(__name__)


def rule_key(*, grid: Grid, brain: NDArray[np.bool_], zscore: str) -> str:
    """Return a digest of all that decides a prepared map, but its sources."""
    mask = hashlib.sha256(np.packbits(brain).tobytes()).hexdigest()
    return _digest([RULE, list(grid.shape), grid.affine, grid.space, mask, zscore])


def map_key(sources: Sequence[Path], rule: str) -> str:
    """Return a digest of the source files (path, size, time of change) and the rule.

    Raises
    ------
    NoInputError
        A source is gone.
    """
    parts: list[object] = [rule]
    for path in sources:
        for each in (path, path.with_suffix(".hdr")) if path.suffix == ".img" else (path,):
            try:
                stat = each.stat()
            except OSError as error:
                raise NoInputError(
                    f"{each} cannot be opened ({error.strerror}); check the path and its "
                    "permissions."
                ) from error
            parts.append([str(each), stat.st_size, stat.st_mtime_ns])
    return _digest(parts)


def save_map(path: Path, prepared: Standardised) -> None:
    """Write one prepared map; the zip around it carries a checksum."""
    with atomic(path) as stream:
        np.savez(stream, values=prepared.values, missing=np.float64(prepared.missing))


def load_map(path: Path, shape: tuple[int, ...]) -> Standardised | None:
    """Return a prepared map, or None when the file is missing or damaged."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            values, missing = stored["values"], float(stored["missing"])
    except FileNotFoundError:
        return None
    except Exception as error:  # numpy and zipfile fail on damaged files in many ways
        log.warning("%s is damaged (%s); it is made again", path, error)
        return None
    if values.shape != shape or values.dtype != np.float32:
        log.warning("%s has the shape %s; it is made again", path, values.shape)
        return None
    return Standardised(values=values, missing=missing)


def save_stack(
    path: Path, maps: Iterable[Standardised], *, length: int, shape: tuple[int, ...]
) -> None:
    """Write prepared maps as one array, one at a time, with their shares and checksums."""
    missing, checksums = [], []
    with atomic(path) as stream:
        header = {"descr": "<f4", "fortran_order": False, "shape": (length, *shape)}
        np.lib.format.write_array_header_1_0(stream, header)
        for each in maps:
            content = np.ascontiguousarray(each.values, dtype="<f4").data.cast("B")
            stream.write(content)
            missing.append(each.missing)
            checksums.append(zlib.crc32(content))
    said = {"missing": missing, "crc32": checksums}
    write_atomically(path.with_suffix(".json"), json.dumps(said).encode())


def load_stack(
    path: Path, *, length: int, shape: tuple[int, ...]
) -> tuple[NDArray[np.float32], list[float]] | None:
    """Return the memory-mapped array and the shares, or None when missing or damaged."""
    try:
        said = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        values = np.lib.format.open_memmap(path, mode="r")
        missing = [float(share) for share in said["missing"]]
        if values.shape != (length, *shape) or len(missing) != length:
            raise ValueError(f"its shape is {values.shape}")
        if list(_checksums(values)) != said["crc32"]:
            raise ValueError("a checksum differs")
    except FileNotFoundError:
        return None
    except Exception as error:  # numpy and json fail on damaged files in many ways
        log.warning("%s is damaged (%s); it is made again", path, error)
        return None
    return values, missing


def _checksums(values: NDArray[np.float32]) -> Iterator[int]:
    for row in values:
        yield zlib.crc32(np.ascontiguousarray(row).data.cast("B"))


def _digest(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
