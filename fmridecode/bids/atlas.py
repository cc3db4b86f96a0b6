"""An atlas on the grid of the maps: TemplateFlow's, or a file with its table of names."""

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.images import read_image
from fmridecode.bids.resampling import resample_labels
from fmridecode.bids.tables import parse_table
from fmridecode.bids.templateflow import TemplateFlow
from fmridecode.core.grid import Grid
from fmridecode.errors import BadDataError, NoInputError, UsageError

log = logging.getLogger(__name__)

_NAMED = re.compile(r"([A-Za-z0-9]+)(?::(?:desc-)?([A-Za-z0-9]+))?")
_RESOLUTIONS = ("02", "01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Atlas:
    """Parcels on a grid.

    Parameters
    ----------
    labels
        Number of the parcel of each voxel, 0 where there is none.
    names
        Name of each number of the atlas, also of parcels without a voxel on the grid.
    source
        The file, for dictionaries and sidecars.
    """

    labels: NDArray[np.int64]
    names: Mapping[int, str]
    source: str

    def name_at(self, voxel: tuple[int, int, int]) -> str | None:
        """Return the parcel of a voxel; None outside of all parcels or of the grid."""
        inside = all(0 <= i < n for i, n in zip(voxel, self.labels.shape, strict=True))
        number = int(self.labels[voxel]) if inside else 0
        return self.names.get(number)

    @property
    def numbers(self) -> list[int]:
        """The parcels that have a voxel on the grid."""
        return [int(each) for each in np.unique(self.labels) if each != 0]


def load_atlas(
    asked: str, grid: Grid, *, force_space: bool = False, templateflow: TemplateFlow | None = None
) -> Atlas:
    """Read an atlas and bring it to a grid, the nearest voxel each.

    Parameters
    ----------
    asked
        ``NAME`` or ``NAME:DESCRIPTION`` of an atlas in TemplateFlow, such as
        ``Schaefer2018:400Parcels7Networks``, or a ``.nii`` or ``.nii.gz`` file.
    grid
        Of the maps.
    force_space
        Take an atlas that says it lies in another space.

    Raises
    ------
    UsageError
        Neither a name nor an image, or it lies in another space.
    NoInputError
        It is not to be had; the message says which file goes where.
    BadDataError
        It holds no parcels, or none where the maps lie.
    """
    table: Path | None
    if asked.endswith((".nii", ".nii.gz")):
        path = Path(asked).expanduser()
        _check_space(path, grid, force_space)
        table = _table_beside(path)
    else:
        flow = templateflow or TemplateFlow()
        path, table = _in_templateflow(asked, grid, flow)
    data, affine = read_image(path)
    labels = np.rint(data).astype(np.int64)
    if not np.array_equal(labels, data) or labels.min() < 0 or not labels.any():
        raise BadDataError(
            f"{path} holds values other than the whole numbers of parcels; --atlas takes a "
            "segmentation (dseg) with one number a parcel."
        )
    names = _names(labels, table, path)
    on_grid = resample_labels(labels, affine, grid)
    if not on_grid.any():
        raise BadDataError(
            f"{path} has no parcel on the grid of the maps ({grid.space}, res-{grid.resolution}); "
            "is it in the same space?"
        )
    if lost := set(names) - set(np.unique(on_grid).tolist()):
        log.info("%d of %d parcels of %s are too small for the grid", len(lost), len(names), path)
    return Atlas(labels=on_grid, names=names, source=path.name)


def _in_templateflow(asked: str, grid: Grid, flow: TemplateFlow) -> tuple[Path, Path | None]:
    named = _NAMED.fullmatch(asked)
    if named is None:
        raise UsageError(
            f"--atlas is {asked!r}; expected an atlas of TemplateFlow, NAME or NAME:DESCRIPTION "
            "such as Schaefer2018:400Parcels7Networks, or a .nii.gz file."
        )
    what = f"atlas-{named[1]}" + (f"_desc-{named[2]}" if named[2] else "") + "_dseg"
    labels = _RESOLUTIONS if grid.resolution != "01" else _RESOLUTIONS[::-1]
    there = (flow.find(grid.space, each, what) for each in labels)
    found = next((each for each in there if each is not None), None)
    if found is None:
        wanted = flow.expected(grid.space, labels[0], what)
        raise NoInputError(
            f"--atlas {asked}: {flow.home} has no such atlas of {grid.space}, and it cannot be "
            f"fetched; check the name, or download {flow.url(wanted)} to {flow.home / wanted}."
        )
    table = flow.find_table(grid.space, what) or flow.find_table(
        grid.space, f"atlas-{named[1]}_dseg"
    )
    if table is None:
        wanted = flow.expected_table(grid.space, what)
        log.warning(
            "The names of the parcels of %s are not to be had, so they are numbered; for names, "
            "download %s to %s",
            asked,
            flow.url(wanted),
            flow.home / wanted,
        )
    return found.path, None if table is None else table.path


def _table_beside(path: Path) -> Path:
    table = path.with_name(re.sub(r"\.nii(\.gz)?$", ".tsv", path.name))
    if not table.is_file():
        raise NoInputError(
            f"--atlas {path}: {table} is not there; it names the parcels in two columns, index "
            "and name, as BIDS has it."
        )
    return table


def _check_space(path: Path, grid: Grid, force_space: bool) -> None:
    """Refuse an atlas that says, in its name or sidecar, that it lies elsewhere."""
    said = dict(part.split("-", 1) for part in path.name.split("_") if "-" in part)
    space = said.get("space") or said.get("tpl") or _referenced(path)
    if not space:
        log.info("%s does not name its space; it is taken to be in %s", path, grid.space)
    elif space != grid.space and not force_space:
        raise UsageError(
            f"--atlas {path} is in {space}, the maps are in {grid.space}; take an atlas in that "
            "space, or --force-space if you know better."
        )


def _referenced(path: Path) -> str:
    sidecar = path.with_name(re.sub(r"\.nii(\.gz)?$", ".json", path.name))
    try:
        reference = str(json.loads(sidecar.read_text(encoding="utf-8"))["SpatialReference"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    found = re.search(r"(?:^|tpl-|/)(MNI[A-Za-z0-9]+)", reference)
    return found[1] if found else ""


def _names(labels: NDArray[np.int64], table: Path | None, path: Path) -> dict[int, str]:
    numbers = [int(each) for each in np.unique(labels) if each != 0]
    if table is None:
        return {number: f"parcel {number}" for number in numbers}
    try:
        frame = parse_table(table.read_text(encoding="utf-8-sig"))
        known = dict(zip(frame["index"].astype(int), frame["name"].astype(str), strict=True))
    except (OSError, KeyError, TypeError, ValueError) as problem:
        raise BadDataError(
            f"{table} is no table of parcels ({problem}); expected the columns index and name."
        ) from None
    if nameless := [number for number in numbers if number not in known]:
        raise BadDataError(
            f"{table} has no name for parcel {nameless[0]} of {path.name}"
            + (f" and {len(nameless) - 1} more." if len(nameless) > 1 else ".")
        )
    return {number: known[number] for number in numbers}
