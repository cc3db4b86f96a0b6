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
class Voxels:
    """The voxels where anyone has data.

    Parameters
    ----------
    mask, grid
        Where they lie.
    first
        A map on that grid.
    """

    mask: NDArray[np.bool_]
    grid: Grid
    first: Path

    def read(self, path: Path) -> NDArray[np.floating]:
        """Read a map there.

        Raises
        ------
        BadDataError
            It cannot be read, or lies on another grid.
        """
        values, affine = read_image(path)
        if not self.grid.equals(values.shape, affine):
            raise BadDataError(
                f"{path} lies on another grid than {self.first}: one OUTPUT_DIR holds one grid; "
                "run the participant level again for one of them."
            )
        return values[self.mask]

    def on_grid(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return one value a voxel, on the grid."""
        whole = np.zeros(self.grid.shape, dtype=np.float32)
        whole[self.mask] = values
        return whole


def voxels_of(files: Sequence[MapFile]) -> Voxels:
    """Return the voxels where any of some maps has a value.

    Raises
    ------
    NothingMatchedError
        There are no maps.
    BadDataError
        They lie on different grids.
    """
    if not files:
        raise NothingMatchedError(
            "There are no maps of the participants: run the participant level again."
        )
    first = files[0].path
    values, affine = read_image(first)
    labels = dict(p.split("-", 1) for p in first.name.split("_") if "-" in p)
    grid = Grid(
        shape=values.shape,
        affine=as_rows(affine),
        space=labels["space"],
        resolution=labels["res"],
    )
    everywhere = Voxels(mask=np.ones(values.shape, dtype=np.bool_), grid=grid, first=first)
    covered = np.zeros(values.size, dtype=np.bool_)
    for each in files:
        covered |= everywhere.read(each.path) != 0
    return Voxels(mask=covered.reshape(values.shape), grid=grid, first=first)


def means_of(
    voxels: Voxels, files: Sequence[MapFile], participants: Sequence[str]
) -> NDArray[np.float32]:
    """Return ``(participants, voxels)``, the mean of each participant's maps."""
    means = np.empty((len(participants), int(voxels.mask.sum())), dtype=np.float32)
    for row, who in zip(means, participants, strict=True):
        own = [each.path for each in files if each.participant == who]
        row[:] = sum(voxels.read(path) for path in own) / len(own)
    return means


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
