from pathlib import Path

import numpy as np
import pytest

from fmridecode.bids.atlas import Atlas
from fmridecode.bids.parcels import parcels_within, read_matrix, write_matrix
from fmridecode.errors import BadDataError

LABELS = np.zeros((4, 5, 3), dtype=np.int64)
LABELS[:2], LABELS[2, :2], LABELS[3] = 3, 5, 8
ATLAS = Atlas(
    labels=LABELS, names={3: "insula", 5: "pole", 8: "insula", 9: "lost"}, source="a_dseg.nii.gz"
)
ABOUT = {"Description": "Interactions.", "Units": "log-odds"}


def test_parcels_are_numbered_in_the_order_of_the_atlas_within_the_mask() -> None:
    mask = np.ones(LABELS.shape, dtype=bool)
    mask[0] = mask[2] = False
    found = parcels_within(ATLAS, mask)
    assert found.names == ("insula (3)", "insula (8)")
    assert found.n_voxels == (15, 15)
    assert found.outside == ("pole", "lost")
    assert np.array_equal(found.labels == 1, (LABELS == 3) & mask)
    assert np.array_equal(found.labels == 2, LABELS == 8)
    assert found.segmentation == "a"


def test_one_parcel_in_the_mask_is_too_few() -> None:
    mask = np.zeros(LABELS.shape, dtype=bool)
    mask[3] = True
    with pytest.raises(BadDataError, match=r"a_dseg\.nii\.gz has 1 of its 4 parcels"):
        parcels_within(ATLAS, mask)


def test_a_matrix_comes_back_under_any_names(tmp_path: Path) -> None:
    names = ("left <b>", 'a "quoted" one', "NA", "12", "parcel (4)")
    matrix = np.random.default_rng(0).standard_normal((5, 5))
    matrix[1, 2] = np.nan
    path = tmp_path / "a_interactions.tsv"
    write_matrix(path, names, matrix, ABOUT)
    found, values = read_matrix(path)
    assert found == names
    np.testing.assert_allclose(values, matrix, rtol=1e-5)
    assert '"Units": "log-odds"' in path.with_suffix(".json").read_text()


@pytest.mark.parametrize(
    "text",
    [
        "parcel\ta\tb\na\t1\t2\n",
        "parcel\ta\tb\na\t1\t2\nc\t3\t4\n",
        "parcel\ta\tb\na\t1\t2\nb\t3\tx\n",
        "other\ta\na\t1\n",
        "",
    ],
)
def test_what_is_no_matrix_is_one_line_that_names_the_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "b_interactions.tsv"
    path.write_text(text)
    with pytest.raises(
        BadDataError, match=r"b_interactions\.tsv is no table of every two"
    ) as found:
        read_matrix(path)
    assert "\n" not in str(found.value)
