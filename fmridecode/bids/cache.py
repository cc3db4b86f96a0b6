"""What a prepared map is kept under: a digest of all that decides it."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.standardise import RULE, Source
from fmridecode.core.grid import Grid
from fmridecode.errors import NoInputError


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


def _digest(parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
