"""The parcels of an atlas within the brain mask, and how their files are called."""

import csv
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fmridecode.bids.atlas import Atlas
from fmridecode.bids.labels import camel
from fmridecode.bids.tables import write_table
from fmridecode.errors import BadDataError

HEADING = "parcel"
"""First column of a table of every two parcels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcels:
    """Parcels that have a voxel in the mask, in the order of the atlas.

    Parameters
    ----------
    labels
        ``grid``; 1 to the number of parcels, 0 where there is none or outside of the mask.
    names
        One a parcel, all different.
    n_voxels
        In the mask.
    outside
        Names of the parcels of the atlas without a voxel in the mask.
    source
        File of the atlas.
    """

    labels: NDArray[np.int64]
    names: tuple[str, ...]
    n_voxels: tuple[int, ...]
    outside: tuple[str, ...]
    source: str

    @property
    def segmentation(self) -> str:
        """The atlas as the entity ``seg-`` names it."""
        return segmentation(self.source)


def parcels_within(atlas: Atlas, mask: NDArray[np.bool_]) -> Parcels:
    """Return the parcels of an atlas within a mask of the same grid.

    Raises
    ------
    BadDataError
        Fewer than two parcels have a voxel in the mask.
    """
    inside = np.where(mask, atlas.labels, 0)
    numbers, counts = np.unique(inside[inside != 0], return_counts=True)
    if len(numbers) < 2:
        raise BadDataError(
            f"The atlas {atlas.source} has {len(numbers)} of its {len(atlas.names)} parcels in "
            "the brain mask; interactions need two or more."
        )
    names = distinct(atlas.names)
    return Parcels(
        labels=np.where(inside != 0, np.searchsorted(numbers, inside) + 1, 0),
        names=tuple(names[int(each)] for each in numbers),
        n_voxels=tuple(int(each) for each in counts),
        outside=tuple(name for number, name in names.items() if number not in set(numbers)),
        source=atlas.source,
    )


def distinct(names: Mapping[int, str]) -> dict[int, str]:
    """Return names that can head the columns of one table: those that occur twice are numbered.

    >>> distinct({1: "insula", 2: "insula", 3: "pole"})
    {1: 'insula (1)', 2: 'insula (2)', 3: 'pole'}
    """
    times = Counter([HEADING, *names.values()])
    return {
        number: f"{name} ({number})" if times[name] > 1 else name for number, name in names.items()
    }


def segmentation(source: str) -> str:
    """Return what the entity ``seg-`` says of the file of an atlas.

    >>> segmentation("tpl-A_res-02_atlas-Schaefer2018_desc-400Parcels7Networks_dseg.nii.gz")
    'Schaefer2018Desc400Parcels7Networks'
    >>> segmentation("my_parcels.nii.gz")
    'myParcels'
    """
    parts = re.sub(r"\.nii(\.gz)?$", "", source).split("_")
    said = dict(part.split("-", 1) for part in parts if "-" in part)
    if named := said.get("atlas") or said.get("seg"):
        return camel(named, *(("desc", said["desc"]) if "desc" in said else ()))
    return camel(*([part for part in parts if "-" not in part and part != "dseg"] or parts))


def write_matrix(
    path: Path, names: Sequence[str], matrix: NDArray[np.floating], about: Mapping[str, Any]
) -> None:
    """Write numbers of every two parcels as a TSV, a row and a column each, with its JSON.

    Parameters
    ----------
    about
        What the JSON says of the whole table; ``Units`` and ``Description`` describe its columns.
    """
    table = pd.DataFrame(matrix, columns=list(names))
    table.insert(0, HEADING, list(names))
    said = {name: f"Interaction with {name}, in {about['Units']}." for name in names}
    write_table(path, table, {HEADING: "Name of the parcel.", **said}, about)


def read_matrix(path: Path) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """Return the names and the numbers that `write_matrix` wrote.

    Raises
    ------
    BadDataError
        It is no such table.
    """
    try:
        table = pd.read_csv(
            path, sep="\t", quoting=csv.QUOTE_NONE, dtype={HEADING: str},
            keep_default_na=False, na_values=["n/a"],
        )  # fmt: skip
        values = table.drop(columns=HEADING).to_numpy(dtype=np.float64)
        if values.shape[0] != values.shape[1] or list(table[HEADING]) != list(table)[1:]:
            raise ValueError("its rows are not its columns")
    except (OSError, ValueError, KeyError) as problem:
        raise BadDataError(
            f"{path} is no table of every two parcels ({' '.join(str(problem).split())}): run the "
            "participant level again for it."
        ) from None
    return tuple(map(str, table[HEADING])), values
