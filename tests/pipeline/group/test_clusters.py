from collections.abc import Callable

import numpy as np
import pytest

from fmridecode.bids.atlas import Atlas
from fmridecode.core.settings import EvaluationConfig
from fmridecode.pipeline.group.clusters import cluster_rows
from fmridecode.pipeline.group.inference import infer
from fmridecode.pipeline.group.stack import Stack

FEW = EvaluationConfig(permutations=200)
SHAPE = (12, 12, 10)

MakeStack = Callable[..., Stack]


@pytest.fixture
def blobs(stack_of: MakeStack) -> Stack:
    """Two blobs, a positive and a negative one, in twelve participants."""
    values = 0.5 * np.random.default_rng(0).standard_normal((12, *SHAPE))
    values[:, 2:5, 3:6, 4:6] += 3.0
    values[:, 3, 4, 5] += 4.0
    values[:, 8:10, 8:10, 2:4] -= 3.0
    values[:, 9, 8, 3] -= 4.0
    return stack_of(values)


def test_peaks_lie_in_millimetres_where_the_blobs_were_planted(blobs: Stack) -> None:
    rows = list(cluster_rows(blobs, infer(blobs, FEW, seed=0), None))
    positive, negative = (
        next(row for row in rows if row["size_mm3"] is not None and row["value"] * sign > 0)
        for sign in (1, -1)
    )
    assert [positive[axis] for axis in "xyz"] == [3 * 8 - 40, 4 * 8 - 48, 5 * 8 - 32]
    assert [negative[axis] for axis in "xyz"] == [9 * 8 - 40, 8 * 8 - 48, 3 * 8 - 32]
    assert positive["size_mm3"] == 18 * 512
    assert negative["size_mm3"] == 8 * 512
    assert {row["basis"] for row in rows} == {"fwe"}
    assert all(row["p_fwe"] < 0.05 for row in rows)


def test_a_peak_is_named_after_its_parcel(blobs: Stack) -> None:
    labels = np.zeros(SHAPE, dtype=np.int64)
    labels[:6], labels[6:, :4] = 7, 9
    atlas = Atlas(labels=labels, names={7: "left <b>", 9: "front"}, source="atlas.nii.gz")
    rows = list(cluster_rows(blobs, infer(blobs, FEW, seed=0), atlas))
    assert {row["region"] for row in rows if row["value"] > 0} == {"left <b>"}
    assert {row["region"] for row in rows if row["value"] < 0} == {None}


def test_where_nothing_survives_the_strongest_means_are_listed_as_uncorrected(
    stack_of: MakeStack,
) -> None:
    stack = stack_of(np.random.default_rng(3).standard_normal((8, *SHAPE)))
    inference = infer(stack, FEW, seed=0)
    assert not inference.survives.any()
    rows = list(cluster_rows(stack, inference, None))
    assert {row["basis"] for row in rows} == {"uncorrected"}
    assert all(row["p_fwe"] > 0.05 for row in rows)
    assert max(row["value"] for row in rows) == pytest.approx(stack.mean.max())
    assert len(rows) <= 10


def test_a_map_of_zeros_has_no_peak(stack_of: MakeStack) -> None:
    assert list(cluster_rows(stack_of(np.zeros((8, *SHAPE))), None, None)) == []
