"""Maps out: compressed NIfTI on the template grid, with a sidecar."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.atomic import write_atomically
from fmridecode.core.grid import Grid

_MNI = 4
_LEVEL = 1


def write_map(
    path: Path,
    values: NDArray[np.floating[Any]],
    *,
    grid: Grid,
    mask: NDArray[np.bool_],
    sidecar: Mapping[str, Any],
) -> None:
    """Write a map as float32 ``.nii.gz``, 0 outside the mask, and its JSON sidecar.

    Parameters
    ----------
    values
        On the grid, or several maps along a fourth axis; what is not finite becomes 0.
    sidecar
        What is particular to this map, in CamelCase; SpatialReference, Resolution, SkullStripped
        and SoftwareVersion are added.

    Raises
    ------
    CannotCreateError, ReadWriteError
        A file cannot be written.
    """
    within = mask if values.ndim == mask.ndim else mask[..., np.newaxis]
    inside = np.where(within & np.isfinite(values), values, 0).astype(np.float32)
    image = nib.Nifti1Image(inside, grid.matrix)
    image.set_sform(grid.matrix, code=_MNI)
    image.set_qform(grid.matrix, code=_MNI)
    image.header.set_xyzt_units(xyz="mm")
    image.header.set_data_dtype(np.float32)
    said = json.dumps({**sidecar, **_common(grid, mask)}, indent=2, ensure_ascii=False)
    stem = path.name.removesuffix(".nii.gz")
    write_atomically(path.with_name(f"{stem}.json"), (said + "\n").encode())
    write_atomically(path, compressed(image.to_bytes()))


def _common(grid: Grid, mask: NDArray[np.bool_]) -> dict[str, Any]:
    from fmridecode import __version__

    return {
        "SpatialReference": (
            f"https://templateflow.s3.amazonaws.com/tpl-{grid.space}/template_description.json"
        ),
        "Resolution": _resolution(grid),
        "SkullStripped": not bool(mask.all()),
        "SoftwareVersion": __version__,
    }


def _resolution(grid: Grid) -> str:
    zooms = np.sqrt((grid.matrix[:3, :3] ** 2).sum(axis=0))
    size = " x ".join(f"{zoom:g}" for zoom in zooms)
    return f"Grid of {grid.space}, voxels of {size} mm"


def compressed(content: bytes) -> bytes:
    """Compress without a time stamp, so that equal maps are equal files."""
    try:
        from isal import igzip
    except ImportError:
        import gzip

        return gzip.compress(content, compresslevel=_LEVEL, mtime=0)
    packed: bytes = igzip.compress(content, compresslevel=_LEVEL, mtime=0)
    return packed
