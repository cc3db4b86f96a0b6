import gzip
import os
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from fmridecode.bids import images
from fmridecode.bids.images import MAX_VOXELS, read_image
from fmridecode.errors import BadDataError, NoInputError

WriteImage = Callable[..., Path]
DATA = np.arange(1, 61, dtype=np.float32).reshape(3, 4, 5)
AFFINE = np.diag([-3.0, 3, 3, 1])


def check(path: Path, atol: float = 0) -> None:
    data, affine = read_image(path)
    assert data.dtype == np.float32
    np.testing.assert_allclose(data, DATA, atol=atol)
    np.testing.assert_array_equal(affine, AFFINE)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz", "a.img"])
@pytest.mark.parametrize("kind", [nib.Nifti1Image, nib.Nifti2Image])
def test_every_container_is_read(tmp_path: Path, name: str, kind: type) -> None:
    pair = {nib.Nifti1Image: nib.Nifti1Pair, nib.Nifti2Image: nib.Nifti2Pair}
    cls = pair[kind] if name == "a.img" else kind
    nib.save(cls(DATA, AFFINE), tmp_path / name)
    check(tmp_path / name)


def test_big_endian_scaled_integers_are_read(tmp_path: Path) -> None:
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(">i2")
    image = nib.Nifti1Image(DATA * 1.5, AFFINE, header)
    nib.save(image, tmp_path / "a.nii.gz")
    data, _ = read_image(tmp_path / "a.nii.gz")
    np.testing.assert_allclose(data, DATA * 1.5, atol=2e-3)


def test_trailing_axes_of_one_are_dropped(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(DATA[..., None, None], AFFINE), tmp_path / "a.nii.gz")
    check(tmp_path / "a.nii.gz")


def test_a_file_that_is_larger_for_its_compression_is_read(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(DATA, AFFINE), tmp_path / "a.nii")
    stored = gzip.compress((tmp_path / "a.nii").read_bytes(), compresslevel=0)
    (tmp_path / "a.nii.gz").write_bytes(stored)
    check(tmp_path / "a.nii.gz")


def test_a_file_is_inflated_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rewound = []

    class Watched(gzip.GzipFile):
        def seek(self, offset: int, whence: int = 0) -> int:
            if whence == 2 or self.tell() > offset:
                rewound.append((offset, whence))
            return super().seek(offset, whence)

    monkeypatch.setattr(images, "_inflate", lambda stream: Watched(fileobj=stream))
    nib.save(nib.Nifti1Image(DATA, AFFINE), tmp_path / "a.nii.gz")
    check(tmp_path / "a.nii.gz")
    assert rewound == []


def test_a_name_that_lies_about_compression_does_no_harm(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(DATA, AFFINE), tmp_path / "a.nii")
    (tmp_path / "a.nii").rename(tmp_path / "a.nii.gz")
    check(tmp_path / "a.nii.gz")


def test_missing_files_folders_and_dangling_links_are_no_input(tmp_path: Path) -> None:
    (tmp_path / "folder.nii.gz").mkdir()
    (tmp_path / "link.nii.gz").symlink_to(tmp_path / "gone")
    for name in ("folder.nii.gz", "link.nii.gz", "none.nii.gz"):
        with pytest.raises(NoInputError, match=name):
            read_image(tmp_path / name)


def test_an_image_without_its_header_is_no_input(tmp_path: Path) -> None:
    (tmp_path / "a.img").write_bytes(b"x" * 100)
    with pytest.raises(NoInputError, match=r"a\.hdr cannot be opened"):
        read_image(tmp_path / "a.img")


def rewritten(path: Path, **fields: object) -> Path:
    """Write an image whose header says something else than its data."""
    image = nib.Nifti1Image(DATA, AFFINE)
    raw = bytearray(image.to_bytes())
    header = np.frombuffer(raw, dtype=nib.nifti1.header_dtype, count=1)
    header.flags.writeable = True
    for name, value in fields.items():
        header[name] = value
    path.write_bytes(gzip.compress(bytes(raw)))
    return path


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"dim": [3, 30000, 30000, 30000, 1, 1, 1, 1]}, f"at most {MAX_VOXELS}"),
        ({"dim": [3, -4, 4, 5, 1, 1, 1, 1]}, "a.nii.gz"),
        ({"dim": [3, 0, 4, 5, 1, 1, 1, 1]}, "shape"),
        ({"dim": [2, 12, 5, 1, 1, 1, 1, 1]}, "three dimensions"),
        ({"dim": [4, 3, 2, 2, 5, 1, 1, 1]}, "Extract one volume"),
        ({"dim": [3, 30, 40, 50, 1, 1, 1, 1]}, "cannot be read"),
        ({"datatype": 32, "bitpix": 64}, "one real number a voxel"),
        ({"datatype": 128, "bitpix": 24}, "one real number a voxel"),
        ({"datatype": 7}, "a.nii.gz"),
        ({"magic": b"abc"}, "cannot be read as NIfTI"),
        ({"sform_code": 0, "qform_code": 0}, "neither an sform nor a qform"),
        ({"srow_x": [np.nan] * 4}, "singular or not finite"),
        ({"srow_x": [0, 0, 0, 0]}, "singular or not finite"),
        ({"srow_x": [1e-9, 0, 0, 0]}, "singular or not finite"),
        ({"srow_x": [3, 0, 0, 1e9]}, "which no brain image does"),
        ({"sform_code": 0, "qform_code": 1, "pixdim": [1, 0, 3, 3, 1, 1, 1, 1]}, "0 x 3 x 3 mm"),
    ],
)
def test_lying_headers_are_bad_data_in_one_line(
    tmp_path: Path, fields: dict[str, object], problem: str
) -> None:
    path = rewritten(tmp_path / "a.nii.gz", **fields)
    with pytest.raises(BadDataError, match=problem) as raised:
        read_image(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_absurd_scale_factors_give_infinities_not_warnings(tmp_path: Path) -> None:
    data, _ = read_image(rewritten(tmp_path / "a.nii.gz", scl_slope=3e38))
    assert np.isinf(data).any()


def test_empty_truncated_and_foreign_files_are_bad_data(
    tmp_path: Path, write_image: WriteImage
) -> None:
    path = tmp_path / "a.nii.gz"
    path.touch()
    with pytest.raises(BadDataError, match=r"is empty \(0 bytes\)"):
        read_image(path)
    whole = write_image(tmp_path / "b.nii.gz").read_bytes()
    for content in (whole[: len(whole) // 2], whole[:-6], whole[:5], b"hello", b"x" * 1000):
        path.write_bytes(content)
        with pytest.raises(BadDataError, match=r"a\.nii\.gz cannot be read as NIfTI"):
            read_image(path)


def test_a_flipped_bit_is_noticed(tmp_path: Path, write_image: WriteImage) -> None:
    whole = bytearray(write_image(tmp_path / "a.nii.gz").read_bytes())
    whole[len(whole) // 2] ^= 1
    (tmp_path / "a.nii.gz").write_bytes(bytes(whole))
    with pytest.raises(BadDataError):
        read_image(tmp_path / "a.nii.gz")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_is_no_input(tmp_path: Path, write_image: WriteImage) -> None:
    path = write_image(tmp_path / "a.nii.gz")
    path.chmod(0)
    with pytest.raises(NoInputError, match="permissions"):
        read_image(path)
