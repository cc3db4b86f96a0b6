"""The participants' maps of one kind, within the voxels where anyone has data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.images import read_image
from fmridecode.core.grid import Grid, as_rows
from fmridecode.errors import BadDataError, NothingMatchedError
from fmridecode.pipeline.group.stack import read_sidecar
from fmridecode.pipeline.regression.endings import SALIENCY, ZSCORED


@dataclass(frozen=True, slots=True, kw_only=True)
class MapFile:
    """A map of a participant, and its sidecar."""

    path: Path
    participant: str
    said: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Maps within a mask.

    Parameters
    ----------
    values
        ``(maps, voxels)``.
    files
        One per map.
    mask, grid
        Where the voxels lie.
    """

    values: NDArray[np.float32]
    files: tuple[MapFile, ...]
    mask: NDArray[np.bool_]
    grid: Grid

    def on_grid(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return one value a voxel, on the grid."""
        whole = np.zeros(self.grid.shape, dtype=np.float32)
        whole[self.mask] = values
        return whole


def zscored_files(output_dir: Path, participants: Sequence[str]) -> list[MapFile]:
    """Return the maps that decoders saw; ``participants`` are with ``sub-``."""
    return _files(output_dir, participants, ZSCORED)


def saliency_files(output_dir: Path, participants: Sequence[str]) -> dict[str, list[MapFile]]:
    """Return the saliency maps by method, without copies on another grid."""
    found: dict[str, list[MapFile]] = {}
    for each in _files(output_dir, participants, SALIENCY.removeprefix("_")):
        if "TargetColumn" in each.said and "ResampledFrom" not in each.said:
            found.setdefault(str(each.said["SaliencyMethod"]), []).append(each)
    return found


def _files(output_dir: Path, participants: Sequence[str], ending: str) -> list[MapFile]:
    return [
        MapFile(path=path, participant=who, said=read_sidecar(path))
        for who in participants
        for path in sorted((output_dir / who).glob(f"**/*_{ending}"))
    ]


def read_rows(files: Sequence[MapFile], *, mask: NDArray[np.bool_] | None = None) -> Rows:
    """Read maps; without a mask, within the voxels where any of them has a value.

    Raises
    ------
    BadDataError
        A map cannot be read, or they lie on different grids.
    """
    if not files:
        raise NothingMatchedError(
            "There are no maps of the participants: run the participant level again."
        )
    first, affine = read_image(files[0].path)
    if mask is None:
        mask = np.zeros(first.shape, dtype=np.bool_)
        for each in files:
            mask |= _values(each, files[0], first.shape, affine) != 0
    values = np.empty((len(files), int(mask.sum())), dtype=np.float32)
    for row, each in zip(values, files, strict=True):
        row[:] = _values(each, files[0], first.shape, affine)[mask]
    labels = dict(p.split("-", 1) for p in files[0].path.name.split("_") if "-" in p)
    return Rows(
        values=values,
        files=tuple(files),
        mask=mask,
        grid=Grid(
            shape=first.shape,
            affine=as_rows(affine),
            space=labels["space"],
            resolution=labels["res"],
        ),
    )


def _values(
    each: MapFile, first: MapFile, shape: tuple[int, ...], affine: NDArray[np.float64]
) -> NDArray[np.floating]:
    values, own = read_image(each.path)
    if values.shape != shape or not np.allclose(own, affine, atol=1e-4):
        raise BadDataError(
            f"{each.path} lies on another grid than {first.path}: one OUTPUT_DIR holds one grid; "
            "run the participant level again for one of them."
        )
    return values
