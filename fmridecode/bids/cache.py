"""Prepared maps on disk, so that a second run opens no image."""

import hashlib
import json
import logging
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.atomic import atomic, write_atomically
from fmridecode.bids.plausibility import Quality
from fmridecode.bids.standardise import RULE, Source, Standardised
from fmridecode.core.grid import Grid
from fmridecode.errors import NoInputError

log = logging.getLogger(__name__)


def rule_key(*, grid: Grid, brain: NDArray[np.bool_], zscore: str) -> str:
    """Return a digest of all that decides a prepared map, but its sources."""
    mask = hashlib.sha256(np.packbits(brain).tobytes()).hexdigest()
    return _digest([RULE, list(grid.shape), grid.affine, grid.space, mask, zscore])


def map_key(sources: Sequence[Source], rule: str) -> str:
    """Return a digest of the rule and of each source: path, size, time of change, use.

    Raises
    ------
    NoInputError
        A source is gone.
    """
    parts: list[object] = [rule]
    for source in sources:
        parts.append([source.weight, *_stamps(source.path)])
        if source.transform is not None:
            parts.append(_stamps(source.transform))
    return _digest(parts)


def _stamps(path: Path) -> list[object]:
    stamps: list[object] = []
    for each in (path, path.with_suffix(".hdr")) if path.suffix == ".img" else (path,):
        try:
            stat = each.stat()
        except OSError as error:
            raise NoInputError(
                f"{each} cannot be opened ({error.strerror}); check the path and its permissions."
            ) from error
        stamps += [str(each), stat.st_size, stat.st_mtime_ns]
    return stamps


def save_map(path: Path, prepared: Standardised) -> None:
    """Write one prepared map; the zip around it carries a checksum."""
    said = json.dumps([asdict(each) for each in prepared.quality])
    with atomic(path) as stream:
        np.savez(
            stream,
            values=prepared.values,
            missing=np.float64(prepared.missing),
            quality=np.array(said),
        )


def load_map(path: Path, shape: tuple[int, ...]) -> Standardised | None:
    """Return a prepared map, or None when the file is missing or damaged."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            values, missing = stored["values"], float(stored["missing"])
            quality = _qualities(json.loads(str(stored["quality"])))
    except FileNotFoundError:
        return None
    except Exception as error:  # numpy and zipfile fail on damaged files in many ways
        log.warning("%s is damaged (%s); it is made again", path, error)
        return None
    if values.shape != shape or values.dtype != np.float32:
        log.warning("%s has the shape %s; it is made again", path, values.shape)
        return None
    return Standardised(values=values, missing=missing, quality=quality)


def _qualities(said: list[dict[str, Any]]) -> tuple[Quality, ...]:
    return tuple(Quality.from_json(each) for each in said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """Prepared maps in one memory-mapped array, with what was said of each."""

    values: NDArray[np.float32]
    missing: list[float]
    quality: list[tuple[Quality, ...]]


def save_stack(
    path: Path, maps: Iterable[Standardised], *, length: int, shape: tuple[int, ...]
) -> None:
    """Write prepared maps as one array, one at a time, with their shares and checksums."""
    missing, checksums, quality = [], [], []
    with atomic(path) as stream:
        header = {"descr": "<f4", "fortran_order": False, "shape": (length, *shape)}
        np.lib.format.write_array_header_1_0(stream, header)
        for each in maps:
            content = np.ascontiguousarray(each.values, dtype="<f4").data.cast("B")
            stream.write(content)
            missing.append(each.missing)
            checksums.append(zlib.crc32(content))
            quality.append([asdict(source) for source in each.quality])
    said = {"missing": missing, "crc32": checksums, "quality": quality}
    write_atomically(path.with_suffix(".json"), json.dumps(said).encode())


def load_stack(path: Path, *, length: int, shape: tuple[int, ...]) -> Stack | None:
    """Return the memory-mapped maps, or None when missing or damaged."""
    try:
        said = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
        values = np.lib.format.open_memmap(path, mode="r")
        missing = [float(share) for share in said["missing"]]
        quality = [_qualities(each) for each in said["quality"]]
        if values.shape != (length, *shape) or {len(missing), len(quality)} != {length}:
            raise ValueError(f"its shape is {values.shape}")
        if list(_checksums(values)) != said["crc32"]:
            raise ValueError("a checksum differs")
    except FileNotFoundError:
        return None
    except Exception as error:  # numpy and json fail on damaged files in many ways
        log.warning("%s is damaged (%s); it is made again", path, error)
        return None
    return Stack(values=values, missing=missing, quality=quality)


def _checksums(values: NDArray[np.float32]) -> Iterator[int]:
    for row in values:
        yield zlib.crc32(np.ascontiguousarray(row).data.cast("B"))


def _digest(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
