"""Where a participant's maps go: the decoder's grid and, where asked for, another one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.parcels import Parcels
from fmridecode.bids.resampling import resample
from fmridecode.bids.templates import Template
from fmridecode.bids.warp import warp
from fmridecode.core.grid import Grid
from fmridecode.core.maps import MapSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A map on one grid, and what its sidecar says of that."""

    values: NDArray[np.float32]
    grid: Grid
    mask: NDArray[np.bool_]
    said: dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """Where maps are written, and on which grids.

    Parameters
    ----------
    folder
        OUTPUT_DIR.
    copies
        Another grid for a copy of every map; None for none.
    transform
        What warps maps from the decoder's space to that of the copies, if they differ.
    parcels
        Whose interactions are written; None for none.
    """

    folder: Path
    copies: Template | None = None
    transform: Path | None = None
    parcels: Parcels | None = None

    def drawings(self, values: NDArray[np.float32], maps: MapSet) -> Iterator[Drawing]:
        """Yield the map as it is and, where asked for, resampled."""
        yield Drawing(values=values, grid=maps.grid, mask=maps.mask, said={})
        if self.copies is None:
            return
        onto, affine = self.copies.grid, maps.grid.matrix
        if self.transform is None:
            moved, _ = resample(values, affine, onto)
        else:
            moved, _ = warp(values, affine, onto, self.transform)
        said: dict[str, object] = {
            "ResampledFrom": f"the decoder's grid, {maps.grid.space} res-{maps.grid.resolution}, "
            "where it was computed",
            "CopyTransform": self.transform.name if self.transform else "n/a",
            "Mask": self.copies.mask_source,
        }
        yield Drawing(values=moved, grid=onto, mask=self.copies.mask, said=said)
