"""Read one NIfTI image, whatever state it is in."""

import gzip
import io
import logging
import warnings
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import nibabel as nib
import numpy as np
from nibabel.imageglobals import LoggingOutputSuppressor
from numpy.typing import NDArray

from fmridecode.bids.oddities import find_oddities
from fmridecode.errors import BadDataError, FmridecodeError, NoInputError

log = logging.getLogger(__name__)

MAX_VOXELS = 2**26
"""The largest image that is read, about 400 x 400 x 400 voxels.

Reading takes at most 12 bytes a voxel beside the file's own, 0.8 GB in all.
"""

_MOST_OBLIQUE = 1e4
_SMALLEST, _LARGEST, _FARTHEST = 0.05, 200.0, 1e4
"""Millimetres: of a voxel, and from the origin."""

_MOST_COMPRESSED = 1032
"""Deflate makes at most this many bytes of one."""

_DRAINED = 1 << 20
"""Bytes that are inflated at a time."""

_GZIP = b"\x1f\x8b"
_NIFTI2 = (b"\x1c\x02\x00\x00", b"\x00\x00\x02\x1c")  # the header's size, in either byte order
_AGAIN = "copy or make it again, or leave the participant out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The scaled data of a 3-D image, its affine, and what is odd about where it lies."""

    data: NDArray[np.float32]
    affine: NDArray[np.float64]
    oddities: tuple[str, ...]


def read_image(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return the data of a 3-D image, scaled, and its affine; see `load_image`."""
    image = load_image(path)
    return image.data, image.affine


def load_image(path: Path) -> Image:
    """Read a 3-D image.

    ``.nii``, ``.nii.gz`` and ``.hdr/.img`` pairs, NIfTI-1 and 2, either byte order; trailing axes
    of length 1 are dropped.

    Raises
    ------
    NoInputError
        The file is missing, a folder, a dangling link or not readable.
    BadDataError
        It is empty, truncated, not NIfTI, not 3-D, not of real numbers, too large, or does not
        say where its voxels lie.
    """
    with ExitStack() as stack:
        try:
            if path.stat().st_size == 0:
                raise BadDataError(f"{path} is empty (0 bytes); {_AGAIN}")
            stack.enter_context(warnings.catch_warnings())
            stack.enter_context(LoggingOutputSuppressor())  # nibabel's guesses at broken headers
            # absurd scale factors overflow to infinity, which counts as missing
            warnings.simplefilter("ignore")
            image, stream = _open(path, stack)
            shape = _check_header(image, path)
            data = np.asarray(image.get_fdata(dtype=np.float32, caching="unchanged"))
            while stream is not None and stream.read(_DRAINED):
                pass  # gzip's checksum stands at the end
            affine = np.asarray(image.affine, dtype=np.float64)
            oddities = find_oddities(image, shape)
        except FmridecodeError:
            raise
        except Exception as error:  # nibabel fails on broken files in as many ways as they have
            if isinstance(error, OSError) and error.errno is not None:
                raise NoInputError(
                    f"{error.filename or path} cannot be opened ({error.strerror}); check it and "
                    "its permissions."
                ) from error
            what = " ".join(str(error).split()) or type(error).__name__
            raise BadDataError(
                f"{path} cannot be read as NIfTI ({what[:200]}); {_AGAIN}"
            ) from error
    values = np.ascontiguousarray(data.reshape(shape))
    return Image(data=values, affine=affine, oddities=oddities)


def _open(path: Path, stack: ExitStack) -> tuple[Any, BinaryIO | None]:
    """Return the image, its data not read yet, and the stream that they are inflated from."""
    if path.suffix == ".img":
        with path.with_suffix(".hdr").open("rb") as header_file:
            pair = nib.Nifti2Pair if header_file.read(4) in _NIFTI2 else nib.Nifti1Pair
        return pair.load(path), None
    stream: BinaryIO = stack.enter_context(path.open("rb"))
    compressed = stream.read(2) == _GZIP
    stream.seek(0)
    if compressed:
        stream = stack.enter_context(_inflate(stream))
    reader = io.BufferedReader(cast("Any", stream), _DRAINED)
    kind = nib.Nifti2Image if reader.peek(4)[:4] in _NIFTI2 else nib.Nifti1Image
    raw = reader.peek(kind.header_class.sizeof_hdr)[: kind.header_class.sizeof_hdr]
    _check_steps(kind.header_class(raw, check=False), path)
    files = kind.make_file_map({"image": reader})
    # a memory map would be of the compressed bytes, as nibabel does not know this stream
    return kind.from_file_map(files, mmap=False), reader if compressed else None


def _check_steps(header: Any, path: Path) -> None:
    """Refuse voxels of no size where the qform needs it; nibabel would make them 1 mm."""
    if header["sform_code"] > 0 or header["qform_code"] <= 0:
        return
    steps = np.asarray(header["pixdim"][1:4], dtype=np.float64)
    if not (np.isfinite(steps) & (steps != 0)).all():
        raise BadDataError(
            f"{path} says that its voxels measure {' x '.join(f'{s:g}' for s in steps)} mm, so "
            "where they lie is not known; write it again with an orientation."
        )


def _inflate(stream: BinaryIO) -> BinaryIO:
    """Inflate with isal where it is installed; several times faster than zlib."""
    try:
        from isal import igzip
    except ImportError:
        return cast("BinaryIO", gzip.GzipFile(fileobj=stream))
    return cast("BinaryIO", igzip.IGzipFile(fileobj=stream))


def _check_header(image: Any, path: Path) -> tuple[int, ...]:
    """Check what can be checked before reading, and return the shape without trailing ones."""
    shape = tuple(int(n) for n in image.shape)
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3 or min(shape) < 1:
        raise BadDataError(
            f"{path} has the shape {image.shape}; a map has three dimensions. Extract one volume."
        )
    if np.prod(shape, dtype=float) > MAX_VOXELS:
        raise BadDataError(
            f"{path} says that it has {' x '.join(map(str, shape))} voxels; at most {MAX_VOXELS} "
            "are read. Its header may be damaged."
        )
    dtype = image.get_data_dtype()
    promised, there = float(np.prod(shape, dtype=float)) * dtype.itemsize, path.stat().st_size
    if promised > there * _MOST_COMPRESSED:
        raise BadDataError(
            f"{path} has {there} bytes, too few for the {' x '.join(map(str, shape))} voxels that "
            f"its header promises, so it cannot be read as NIfTI; {_AGAIN}"
        )
    if dtype.kind not in "iufb":
        raise BadDataError(f"{path} holds {dtype} values; a map has one real number a voxel.")
    _check_orientation(image, path)
    return shape


def _check_orientation(image: Any, path: Path) -> None:
    codes = int(image.header["sform_code"]), int(image.header["qform_code"])
    if codes == (0, 0):
        raise BadDataError(
            f"{path} has neither an sform nor a qform, so where its voxels lie is not known; "
            "write it again with an orientation."
        )
    affine = np.asarray(image.affine, dtype=np.float64)
    sizes = np.linalg.norm(affine[:3, :3], axis=0) if np.isfinite(affine).all() else np.zeros(3)
    if sizes.min() == 0 or np.linalg.cond(affine[:3, :3]) > _MOST_OBLIQUE:
        raise BadDataError(
            f"{path} has an affine that is singular or not finite, so where its voxels lie is not "
            "known; write it again with an orientation."
        )
    if sizes.min() < _SMALLEST or sizes.max() > _LARGEST or np.abs(affine).max() > _FARTHEST:
        raise BadDataError(
            f"{path} says that its voxels measure {' x '.join(f'{s:.3g}' for s in sizes)} mm and "
            f"that the first lies at {', '.join(f'{x:.3g}' for x in affine[:3, 3])} mm, which no "
            "brain image does; write it again with an orientation in millimetres."
        )
