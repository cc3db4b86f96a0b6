"""Bad NIfTI files by the hundred, each made from a seed in microseconds."""

import gzip
from collections.abc import Callable
from dataclasses import dataclass

import nibabel as nib
import numpy as np

SHAPE = (5, 6, 7)
Raw = bytearray


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """One bad file: what is wrong, its content, and whether it is still readable."""

    kind: str
    content: bytes


def whole(
    rng: np.random.Generator, *, dtype: type = np.float32, shape: tuple[int, ...] = SHAPE
) -> Raw:
    affine = np.diag([3.0, 3, 3, 1])
    affine[:3, 3] = -9
    image = nib.Nifti1Image(rng.normal(0, 9, shape).astype(dtype), affine)
    return bytearray(image.to_bytes())


def header(raw: Raw) -> np.ndarray:
    return np.frombuffer(raw, dtype=nib.nifti1.header_dtype, count=1)


def packed(raw: Raw) -> bytes:
    return gzip.compress(bytes(raw), compresslevel=1, mtime=0)


def lying(**fields: Callable[[np.random.Generator], object]) -> Callable[..., bytes]:
    def make(rng: np.random.Generator) -> bytes:
        raw = whole(rng)
        for name, value in fields.items():
            header(raw)[name] = value(rng)
        return packed(raw) if rng.random() < 0.7 else bytes(raw)

    return make


def dims(*values: int) -> Callable[[np.random.Generator], object]:
    return lambda rng: [*values, *[1] * (8 - len(values))]


def huge(rng: np.random.Generator) -> object:
    return [3, *rng.integers(400, 32767, 3), 1, 1, 1, 1]


def some_negative(rng: np.random.Generator) -> object:
    sides = rng.integers(1, 9, 3)
    sides[rng.integers(3)] *= -1
    return [3, *sides, 1, 1, 1, 1]


def truncated(rng: np.random.Generator) -> bytes:
    content = packed(whole(rng))
    return content[: int(rng.integers(0, len(content) - 1))]


def truncated_plain(rng: np.random.Generator) -> bytes:
    raw = whole(rng)
    return bytes(raw[: int(rng.integers(0, len(raw) - 1))])


def garbage(rng: np.random.Generator) -> bytes:
    return rng.bytes(int(rng.integers(1, 2000)))


def packed_garbage(rng: np.random.Generator) -> bytes:
    return gzip.compress(garbage(rng), compresslevel=1)


def flipped(rng: np.random.Generator) -> bytes:
    content = bytearray(packed(whole(rng)))
    content[int(rng.integers(len(content)))] ^= 1 << int(rng.integers(8))
    return bytes(content)


def scrambled_header(rng: np.random.Generator) -> bytes:
    """Change a few bytes of the header's 348 to anything; some files stay readable."""
    raw = whole(rng)
    for place in rng.integers(0, 348, int(rng.integers(1, 12))):
        raw[place] = int(rng.integers(256))
    return packed(raw)


def bomb(rng: np.random.Generator) -> bytes:
    """Promise 16 GB in a header, and hold a megabyte of zeros in a kilobyte."""
    raw = whole(rng)
    header(raw)["dim"] = [3, 2000, 2000, 1000, 1, 1, 1, 1]
    return packed(raw + bytes(2**20))


def of_type(dtype: type) -> Callable[..., bytes]:
    return lambda rng: packed(whole(rng, dtype=dtype))


def rgb(rng: np.random.Generator) -> bytes:
    data = np.zeros(SHAPE, dtype=[("R", "u1"), ("G", "u1"), ("B", "u1")])
    return packed(bytearray(nib.Nifti1Image(data, np.eye(4)).to_bytes()))


def of_shape(*shape: int) -> Callable[..., bytes]:
    return lambda rng: packed(whole(rng, shape=shape))


def filled_with(value: float) -> Callable[..., bytes]:
    def make(rng: np.random.Generator) -> bytes:
        affine = np.diag([3.0, 3, 3, 1])
        affine[:3, 3] = -9
        data = np.full(SHAPE, value, dtype=np.float32)
        return packed(bytearray(nib.Nifti1Image(data, affine).to_bytes()))

    return make


def row(*values: float) -> Callable[[np.random.Generator], object]:
    return lambda rng: list(values)


KINDS: dict[str, Callable[[np.random.Generator], bytes]] = {
    "empty": lambda rng: b"",
    "truncated gzip": truncated,
    "truncated": truncated_plain,
    "garbage": garbage,
    "compressed garbage": packed_garbage,
    "flipped bit": flipped,
    "scrambled header": scrambled_header,
    "huge dimensions": lying(dim=huge),
    "more than the file holds": lying(dim=dims(3, 50, 60, 70)),
    "decompression bomb": bomb,
    "negative dimension": lying(dim=some_negative),
    "zero dimension": lying(dim=dims(3, 5, 0, 7)),
    "two dimensions": lying(dim=dims(2, 30, 7)),
    "dimensions beyond seven": lying(dim=dims(9, 5, 6, 7)),
    "4-D": of_shape(*SHAPE, 3),
    "5-D": of_shape(*SHAPE, 1, 2),
    "complex": of_type(np.complex64),
    "RGB": rgb,
    "unknown type": lying(datatype=lambda rng: int(rng.integers(3, 2000) * 3 + 1)),
    "wrong magic": lying(magic=lambda rng: rng.bytes(3)),
    "wrong header size": lying(sizeof_hdr=lambda rng: int(rng.integers(0, 300))),
    "data offset beyond the end": lying(vox_offset=lambda rng: float(rng.integers(10**4, 10**9))),
    "negative data offset": lying(vox_offset=lambda rng: -float(rng.integers(1, 999))),
    "data offset that is no number": lying(vox_offset=lambda rng: np.nan),
    "NaN affine": lying(srow_x=row(np.nan, 0, 0, 1)),
    "infinite affine": lying(srow_y=row(0, np.inf, 0, 1)),
    "singular affine": lying(srow_z=row(0, 0, 0, 5)),
    "no orientation": lying(sform_code=lambda rng: 0, qform_code=lambda rng: 0),
    "zero pixdim": lying(
        sform_code=lambda rng: 0, qform_code=lambda rng: 1, pixdim=row(1, 0, 0, 0, 1, 1, 1, 1)
    ),
    "NaN pixdim": lying(
        sform_code=lambda rng: 0,
        qform_code=lambda rng: 1,
        pixdim=row(1, *[np.nan] * 3, 1, 1, 1, 1),
    ),
    "quaternion beyond 1": lying(
        sform_code=lambda rng: 0, qform_code=lambda rng: 1, quatern_b=lambda rng: 30.0
    ),
    "infinite scale": lying(scl_slope=lambda rng: np.inf),
    "absurd scale": lying(scl_slope=lambda rng: 3e38, scl_inter=lambda rng: -3e38),
    "far away": lying(srow_x=row(3, 0, 0, 1e6)),
    "all NaN": filled_with(np.nan),
    "all infinite": filled_with(np.inf),
    "all zero": filled_with(0),
    "constant": filled_with(4),
}
"""What can be wrong, and how to make it."""


def bad_files(n: int, seed: int = 0) -> list[Bad]:
    """Return `n` bad files, all kinds in turn."""
    rng = np.random.default_rng(seed)
    kinds = list(KINDS.items())
    chosen = [kinds[i % len(kinds)] for i in range(n)]
    return [Bad(kind=kind, content=make(rng)) for kind, make in chosen]
