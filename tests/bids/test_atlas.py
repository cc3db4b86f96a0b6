from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray

from fmridecode.bids.atlas import load_atlas
from fmridecode.bids.templateflow import TemplateFlow
from fmridecode.core.grid import Grid, as_rows
from fmridecode.errors import BadDataError, NoInputError, UsageError

SPACE = "MNI152NLin2009cAsym"
FINE = np.diag([4.0, 4.0, 4.0, 1.0])
GRID = Grid(
    shape=(4, 4, 4), affine=as_rows(np.diag([8.0, 8.0, 8.0, 1.0])), space=SPACE, resolution="08"
)
NAMES = "index\tname\n1\tleft\n2\tright\n40\tsmall\n"

Store = Callable[..., Path]


def parcels() -> NDArray[np.int16]:
    labels = np.ones((8, 8, 8), dtype=np.int16)
    labels[4:] = 2
    labels[1, 1, 1] = 40  # between the voxels of the coarse grid
    labels[:, :, 6:] = 0
    return labels


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Write an atlas and its table."""

    def write(
        labels: NDArray[np.generic], name: str = "mine_dseg.nii.gz", names: str | None = NAMES
    ) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        nib.Nifti1Image(labels, FINE).to_filename(path)
        if names is not None:
            path.with_name(path.name.removesuffix(".nii.gz") + ".tsv").write_text(names)
        return path

    return write


def test_each_voxel_takes_the_nearest_parcel(store: Store) -> None:
    atlas = load_atlas(str(store(parcels())), GRID)
    assert np.array_equal(atlas.labels, parcels()[::2, ::2, ::2])
    assert atlas.numbers == [1, 2]
    assert atlas.name_at((0, 0, 0)) == "left"
    assert atlas.name_at((3, 0, 0)) == "right"
    assert atlas.name_at((0, 0, 3)) is None
    assert atlas.name_at((4, 0, 0)) is None


@pytest.mark.parametrize("asked", ["Small:2Parcels", "Small:desc-2Parcels"])
def test_an_atlas_of_templateflow_is_found_by_name(store: Store, asked: str) -> None:
    stem = f"tpl-{SPACE}/tpl-{SPACE}"
    image = store(parcels(), f"{stem}_res-02_atlas-Small_desc-2Parcels_dseg.nii.gz", None)
    flow = TemplateFlow(home=image.parent.parent, online=False)
    assert load_atlas(asked, GRID, templateflow=flow).name_at((0, 0, 0)) == "parcel 1"
    (flow.home / f"{stem}_atlas-Small_desc-2Parcels_dseg.tsv").write_text(NAMES)
    assert load_atlas(asked, GRID, templateflow=flow).name_at((0, 0, 0)) == "left"


def test_an_atlas_that_is_not_there_is_one_line_that_says_which_file_to_fetch(
    tmp_path: Path,
) -> None:
    flow = TemplateFlow(home=tmp_path, online=False)
    with pytest.raises(NoInputError, match=r"atlas-Absent_desc-1_dseg\.nii\.gz to ") as caught:
        load_atlas("Absent:1", GRID, templateflow=flow)
    assert "\n" not in str(caught.value)


def test_an_atlas_of_another_space_is_refused_unless_forced(store: Store) -> None:
    path = str(store(parcels(), "atlas-A_space-MNI152NLin6Asym_dseg.nii.gz"))
    with pytest.raises(UsageError, match="is in MNI152NLin6Asym, the maps are in MNI152NLin2009c"):
        load_atlas(path, GRID)
    assert load_atlas(path, GRID, force_space=True).numbers == [1, 2]


def test_a_sidecar_tells_the_space_too(store: Store) -> None:
    path = store(parcels())
    said = '{"SpatialReference": "https://x.org/tpl-MNIPediatricAsym/template_description.json"}'
    path.with_name("mine_dseg.json").write_text(said)
    with pytest.raises(UsageError, match="is in MNIPediatricAsym"):
        load_atlas(str(path), GRID)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (None, "is not there; it names the parcels"),
        ("number\tname\n1\tleft\n", "expected the columns index and name"),
        ("index\tname\n1\tleft\n2\tright\n", "has no name for parcel 40"),
    ],
)
def test_a_table_that_does_not_name_the_parcels_is_refused(
    store: Store, names: str | None, message: str
) -> None:
    with pytest.raises((NoInputError, BadDataError), match=message):
        load_atlas(str(store(parcels(), names=names)), GRID)


def test_a_map_of_probabilities_is_no_segmentation(store: Store) -> None:
    with pytest.raises(BadDataError, match="whole numbers of parcels"):
        load_atlas(str(store(parcels().astype(np.float32) / 3)), GRID)


def test_an_atlas_beside_the_brain_is_refused(store: Store) -> None:
    far = Grid(
        shape=(4, 4, 4),
        affine=as_rows(np.array([[8.0, 0, 0, 900], [0, 8, 0, 0], [0, 0, 8, 0], [0, 0, 0, 1]])),
        space=SPACE,
        resolution="08",
    )
    with pytest.raises(BadDataError, match="no parcel on the grid"):
        load_atlas(str(store(parcels())), far)


def test_a_name_that_could_be_no_atlas_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--atlas is '\.\./x'"):
        load_atlas("../x", GRID)
