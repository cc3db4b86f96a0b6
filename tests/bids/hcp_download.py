"""A download of HCP as its servers lay it out: 91 x 109 x 91, cheap to write."""

import gzip
from functools import cache
from pathlib import Path

import nibabel as nib
import numpy as np

AFFINE = np.array([[-2.0, 0, 0, 90], [0, 2, 0, -126], [0, 0, 2, -72], [0, 0, 0, 1]])
SHAPE = (91, 109, 91)
NUMBERS = {
    "WM": (11,),
    "GAMBLING": (1, 2),
    "MOTOR": (2, 3, 4, 5, 6, 7),
    "LANGUAGE": (3,),
    "SOCIAL": (6,),
    "RELATIONAL": (4,),
    "EMOTION": (3,),
}


@cache
def image(value: int) -> bytes:
    """Return a ramp of a few values in a box, so that it compresses to little."""
    data = np.zeros(SHAPE, dtype=np.int16)
    data[20:70, 20:90, 10:70] = value
    data[20:70, 20:90, 10:40] = 2 * value
    header = nib.Nifti1Image(data, AFFINE)
    return gzip.compress(header.to_bytes(), compresslevel=1, mtime=0)


def write_participant(
    folder: Path,
    *,
    tasks: tuple[str, ...] = tuple(NUMBERS),
    newer: bool = False,
    level2: str = "s4",
    shift: int = 0,
) -> None:
    """Write a participant's second-level folders; each map holds its cope's number.

    Parameters
    ----------
    newer
        The later layout, ``StandardVolumeStats``.
    shift
        Added to the numbers of the folders, with a ``Contrasts.txt`` that says so.
    """
    for task in tasks:
        results = folder / "MNINonLinear" / "Results" / f"tfMRI_{task}"
        end = "level2.feat/StandardVolumeStats" if newer else "level2vol.feat"
        feat = results / f"tfMRI_{task}_hp200_{level2}_{end}"
        for number in NUMBERS[task]:
            stats = feat / f"cope{number + shift}.feat" / ("" if newer else "stats")
            stats.mkdir(parents=True)
            (stats / "cope1.nii.gz").write_bytes(image(number))
            (stats / "zstat1.nii.gz").write_bytes(image(100 + number))
