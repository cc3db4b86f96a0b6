"""Fingerprints by which maps are recognised under any name, and near-duplicates are found.

A fingerprint is the sign of a map's products with 256 random patterns of +1 and -1 (M. Charikar
2002, doi:10.1145/509907.509965): of two maps whose correlation is r, the share arccos(r) / pi of
the bits differs. The patterns come from SHA-3's SHAKE-256 and a salt, so that whoever has the
salt can test whether a map is among those that were recorded, and nobody can make a map of it.

It finds the same map under another name, stored again, scaled or shifted (the z-score takes that
away), or resampled a little. It does not find a person by other maps, a map with its sign
reversed, or one that was smoothed or denoised so much that r is below about 0.95.
"""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

BITS = 256

NEAR = 26
"""Bits, at most, by which near-duplicates differ: half are found at r = 0.95, all but one in a
hundred at r = 0.98. Maps of two persons correlate less: up to .55 among 40 real participants."""

CORRELATED = 0.95
"""What the correlation of two maps must be, where both are there to be compared."""

_VOXELS = 30_000
_ROWS = 64

Prints = NDArray[np.uint8]
"""``(maps, BITS / 8)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """Two maps of two participants that are nearly the same, by their positions."""

    first: int
    second: int
    pearson_r: float


def salt_of(*parts: object) -> str:
    """Return a salt for what these parts name; the same parts give the same."""
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]


def map_prints(
    values: NDArray[np.float32],
    mask: NDArray[np.bool_],
    *,
    salt: str,
    indices: NDArray[np.int64] | None = None,
) -> Prints:
    """Return the fingerprints of some maps.

    Parameters
    ----------
    values
        ``(maps, *grid)``, z-scored.
    mask
        ``grid``; of many voxels, every second, third, ... is taken.
    salt
        Hexadecimal.
    indices
        Of which maps; all by default. They are read a few at a time.
    """
    rows = np.arange(len(values)) if indices is None else indices
    voxels = np.flatnonzero(mask)
    voxels = voxels[:: math.ceil(len(voxels) / _VOXELS)]
    patterns = _patterns(len(voxels), salt)
    prints = np.empty((len(rows), BITS // 8), dtype=np.uint8)
    for start in range(0, len(rows), _ROWS):
        few = np.asarray(values[rows[start : start + _ROWS]], dtype=np.float32)
        inside = few.reshape(len(few), -1)[:, voxels]
        inside = inside - inside.mean(axis=1, keepdims=True)
        prints[start : start + _ROWS] = np.packbits(inside @ patterns > 0, axis=1)
    return prints


@lru_cache(maxsize=1)  # folds of a run share the salt
def _patterns(n_voxels: int, salt: str) -> NDArray[np.float32]:
    """Return ``(voxels, BITS)`` of +1 and -1."""
    stream = hashlib.shake_256(bytes.fromhex(salt)).digest(math.ceil(n_voxels * BITS / 8))
    bits = np.unpackbits(np.frombuffer(stream, dtype=np.uint8))[: n_voxels * BITS]
    patterns = 2 * bits.reshape(n_voxels, BITS).astype(np.float32) - 1
    patterns.flags.writeable = False
    return patterns


def differing_bits(a: Prints, b: Prints) -> NDArray[np.int64]:
    """Return ``(len(a), len(b))``, in how many bits each two differ."""
    x, y = (2.0 * np.unpackbits(each, axis=1) - 1.0 for each in (a, b))
    return np.rint((BITS - x.astype(np.float32) @ y.astype(np.float32).T) / 2).astype(np.int64)


def recognised(prints: Prints, known: Sequence[str]) -> NDArray[np.bool_]:
    """Return which maps are among those whose fingerprints, hexadecimal, are known."""
    if not known or not len(prints):
        return np.zeros(len(prints), dtype=np.bool_)
    recorded = np.array([list(bytes.fromhex(each)) for each in known], dtype=np.uint8)
    return np.asarray((differing_bits(prints, recorded) <= NEAR).any(axis=1))


def as_hexadecimal(prints: Prints) -> tuple[str, ...]:
    """Return fingerprints as text, sorted, so that their order says nothing."""
    return tuple(sorted(bytes(each).hex() for each in prints))


def participant_print(dataset: str, participant: str, *, salt: str) -> str:
    """Return a salted digest of a participant's label in a data set."""
    return hashlib.sha256("\0".join((salt, dataset, participant)).encode()).hexdigest()[:32]


def find_duplicates(
    values: NDArray[np.float32],
    mask: NDArray[np.bool_],
    participants: Sequence[str],
    *,
    salt: str,
) -> list[Duplicate]:
    """Return the pairs of nearly equal maps of two participants.

    Fingerprints find candidates, and the correlation of the maps themselves confirms them.
    """
    prints = map_prints(values, mask, salt=salt)
    owner = np.unique(np.array(participants), return_inverse=True)[1]
    found = []
    for start in range(0, len(values), _ROWS):
        rows = slice(start, start + _ROWS)
        near = differing_bits(prints[rows], prints) <= NEAR
        near &= owner[rows, None] != owner[None]
        for offset, second in np.argwhere(near):
            first = start + int(offset)
            if first < second:
                r = float(np.corrcoef(values[first][mask], values[second][mask])[0, 1])
                if r >= CORRELATED:
                    found.append(Duplicate(first=first, second=int(second), pearson_r=r))
    return found
