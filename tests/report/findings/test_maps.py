from collections.abc import Callable
from pathlib import Path

import pytest

from fmridecode.report.derivatives import Derivatives
from fmridecode.report.findings import maps

HEADER = (
    "map\tlabel\tmethod\tn_participants\tp_fwe_min\tvoxels_positive\tvoxels_negative\t"
    "n_permutations\tr_same_decoder\n"
)


@pytest.mark.parametrize(("r", "doubted"), [(0.9, True), (0.1, False)])
def test_maps_of_the_decoder_are_no_inference_about_participants(
    r: float, doubted: bool, derivatives: Derivatives, write: Callable[[str, str], Path]
) -> None:
    first, second = f"m1\ta\tsmoothgrad\t9\t0.01\t5\t0\t2000\t{r}", "m2\tb\tsmoothgrad\t9\t0.4"
    write("group_desc-maps_tests.tsv", f"{HEADER}{first}\n{second}\t0\t0\t2000\t{r}\n")
    found = maps.found(derivatives)
    assert found is not None
    assert "1 of 2 mean maps have voxels" in found.sentence
    assert ("By SmoothGrad, participants of one decoder" in found.sentence) == doubted
    assert found.values["methods_of_the_decoder"] == (["smoothgrad"] if doubted else [])
