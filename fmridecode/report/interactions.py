"""Matrices of how parcels interact: found, ordered, and put into words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from fmridecode.errors import BadDataError
from fmridecode.report.table import read_json, read_table

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

PATTERN = "**/*_interactions.tsv"
_NUMBERED = re.compile(r"^\d+Networks_")
_NETWORK = re.compile(r"^(LH|RH)_([A-Za-z]+)(?:_|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """How every two parcels interact.

    Parameters
    ----------
    names
        Of the parcels, in the order of the atlas.
    values
        ``(parcels, parcels)``, symmetric.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]

    def strongest(self, n: int) -> list[tuple[int, int]]:
        """Return the pairs of different parcels with the largest magnitudes."""
        a, b = np.triu_indices(len(self.names), k=1)
        order = np.argsort(-np.abs(self.values[a, b]), kind="stable")[:n]
        return [(int(a[k]), int(b[k])) for k in order]


@dataclass(frozen=True, slots=True, kw_only=True)
class MapMatrix:
    """The matrix of one map of a participant, with its file and its sidecar."""

    path: Path
    matrix: Matrix
    said: dict[str, Any]

    @property
    def target(self) -> str:
        """Class, or difference of two, whose log-odds are explained."""
        return str(self.said.get("TargetClass", ""))

    @property
    def title(self) -> str:
        """The target, and what the map is where the decoder does not know its class."""
        known, own = self.said.get("TrueClass"), self.said.get("DataClass")
        return self.target if known or not own else f"{own}, decoded as {self.target}"

    @property
    def explains_truth(self) -> bool:
        """Whether the class is the map's own, or one that the user asked for."""
        true = self.said.get("TrueClass")
        return true is None or true == self.target or ">" in self.target

    @property
    def effects(self) -> list[float]:
        """First-order effect of every parcel; NaN where it is not recorded."""
        found = self.said.get("Effects", {})
        return [float(found.get(name, np.nan)) for name in self.matrix.names]


def find_matrices(folder: Path) -> tuple[MapMatrix, ...]:
    """Return the matrices of a participant whose target is the true class, or was asked for.

    Raises
    ------
    BadDataError
        A table is not what it should be.
    """
    found = []
    for path in sorted(folder.glob(PATTERN)):
        table = read_table(path, columns=("parcel",))
        if table is None:
            continue
        names = tuple(map(str, table.frame["parcel"]))
        values = table.frame.drop(columns="parcel").to_numpy(dtype=np.float64)
        if values.shape != (len(names), len(names)):
            raise BadDataError(f"{path} has {values.shape} numbers; re-run the participant level")
        said = read_json(path.with_suffix(".json"))
        matrix = Matrix(names=names, values=values)
        found.append(MapMatrix(path=path, matrix=matrix, said=said))
    return tuple(each for each in found if each.explains_truth)


def plain_name(parcel: str) -> str:
    """Return a parcel's name without what it shares with all others of its atlas.

    >>> plain_name("7Networks_LH_Vis_1"), plain_name("insula")
    ('LH_Vis_1', 'insula')
    """
    return _NUMBERED.sub("", parcel)


def networks(names: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """Return the networks that parcels' names show, as ``(name, first, after the last)``.

    None are returned where names show none, or no network has parcels beside each other.

    >>> networks(("7Networks_LH_Vis_1", "7Networks_LH_Vis_2", "7Networks_RH_Vis_1"))
    [('LH Vis', 0, 2), ('RH Vis', 2, 3)]
    >>> networks(("insula", "pole"))
    []
    """
    found = [_NETWORK.match(plain_name(name)) for name in names]
    runs = []
    for key, members in groupby(enumerate(found), key=lambda each: each[1] and each[1].groups()):
        positions = [position for position, _ in members]
        if key is None:
            return []
        runs.append((" ".join(key), positions[0], positions[-1] + 1))
    return runs if len(runs) < len(names) else []


def significant(value: float) -> str:
    """Write a number with two significant digits.

    >>> significant(-0.01234), significant(float("nan"))
    ('−0.012', '–')
    """
    return f"{value:.2g}".replace("-", "−") if np.isfinite(value) else "–"
