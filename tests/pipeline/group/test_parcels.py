from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import stats

from fmridecode.bids.atlas import Atlas
from fmridecode.bids.derivatives import read_table
from fmridecode.config import compose
from fmridecode.pipeline.group.maps import write_group_maps
from fmridecode.pipeline.group.parcels import parcel_means, parcels_table, participants_table
from fmridecode.pipeline.group.stack import Stack

SHAPE = (4, 5, 3)
LABELS = np.zeros(SHAPE, dtype=np.int64)
LABELS[:2], LABELS[2, :2], LABELS[3] = 3, 5, 8
ATLAS = Atlas(
    labels=LABELS,
    names={3: "left", 5: "small", 8: "right", 9: "nowhere"},
    source="atlas.nii.gz",
)

MakeStack = Callable[..., Stack]


def test_parcel_means_and_tests_are_those_of_the_voxels_they_hold(stack_of: MakeStack) -> None:
    values = np.random.default_rng(0).standard_normal((9, *SHAPE)) + 0.4
    found = parcel_means(stack_of(values), ATLAS)
    by_hand = np.stack([values[:, number == LABELS].mean(axis=1) for number in (3, 5, 8)], axis=1)
    assert np.allclose(found.values, by_hand, atol=1e-6)
    table = parcels_table([found], ATLAS)
    assert list(table["parcel"]) == ["left", "small", "right"]
    assert list(table["n_voxels"]) == [30, 6, 15]
    test = stats.ttest_1samp(by_hand, 0.0)
    low, high = test.confidence_interval()
    assert np.allclose(table["t"], test.statistic, atol=1e-4)
    assert np.allclose(table["p"], test.pvalue, atol=1e-6)
    assert np.allclose(table["ci_low"], low, atol=1e-6)
    assert np.allclose(table["ci_high"], high, atol=1e-6)
    order = np.argsort(test.pvalue)
    adjusted = test.pvalue[order] * 3 / np.arange(1, 4)
    expected = np.minimum.accumulate(adjusted[::-1])[::-1]
    assert np.allclose(table["q"].to_numpy()[order], expected, atol=1e-6)


def test_a_parcel_without_spread_has_no_test(stack_of: MakeStack) -> None:
    table = parcels_table([parcel_means(stack_of(np.ones((7, *SHAPE))), ATLAS)], ATLAS)
    assert table[["t", "p", "q"]].isna().all(axis=None)
    assert np.allclose(table["mean"], 1.0)


def test_few_participants_have_means_but_no_test(stack_of: MakeStack) -> None:
    values = np.random.default_rng(0).standard_normal((3, *SHAPE))
    table = parcels_table([parcel_means(stack_of(values), ATLAS)], ATLAS)
    assert table["p"].isna().all()
    assert table["standard_error"].notna().all()


def test_every_participant_has_a_row_with_a_column_for_each_parcel(stack_of: MakeStack) -> None:
    found = parcel_means(stack_of(np.random.default_rng(0).standard_normal((4, *SHAPE))), ATLAS)
    table, dictionary = participants_table([found], ATLAS)
    assert list(table["participant_id"]) == ["sub-00", "sub-01", "sub-02", "sub-03"]
    assert np.allclose(table[["parcel_3", "parcel_5", "parcel_8"]], found.values)
    assert dictionary["parcel_5"] == "Mean saliency in small (atlas.nii.gz)."


def test_an_atlas_gives_tables_which_go_with_it(
    store_maps: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    generator = np.random.default_rng(0)
    out = store_maps({f"sub-{n}": generator.standard_normal(SHAPE) + 1 for n in range(7)})
    (first, *_) = out.glob("sub-0/func/*.nii.gz")
    path = tmp_path_factory.mktemp("atlas") / "space-MNI152NLin2009cAsym_dseg.nii.gz"
    nib.Nifti1Image(LABELS.astype(np.int16), nib.load(first).affine).to_filename(path)
    path.with_name("space-MNI152NLin2009cAsym_dseg.tsv").write_text(
        "index\tname\n3\tleft <script>\n5\tsmall\n8\tright\n"
    )
    config = compose({"evaluation": {"permutations": 100, "atlas": str(path)}})
    write_group_maps(out, config)
    table = read_table(out / "group_desc-parcels_saliency.tsv")
    assert list(table["parcel"]) == ["left <script>", "small", "right"]
    assert (out / "group_desc-parcels_participants.json").exists()
    peaks = read_table(out / "group_desc-clusters_peaks.tsv")
    assert set(peaks["region"].dropna()) <= set(table["parcel"])
    write_group_maps(out, compose({"evaluation": {"permutations": 100}}))
    assert not list(out.glob("group_desc-parcels_*"))
