from collections.abc import Callable
from pathlib import Path

import pytest

from fmridecode.report.blocks import Grid, Prose
from fmridecode.report.derivatives import Derivatives
from fmridecode.report.group.comparison import comparison

HEADER = (
    "metric\tdecoder\tbaseline\tbaseline_low\tbaseline_high\tdifference\tci_low\tci_high\tt\tdf\t"
    "p\tp_sign_flip\tn_participants\tn_maps\n"
)


@pytest.mark.parametrize(
    ("difference", "p", "words"),
    [
        (0.05, 0.01, "is above that of a linear decoder"),
        (-0.05, 0.01, "is below that of a linear decoder"),
        (0.05, 0.2, "is not distinguishable from that of a linear decoder"),
        (0.0, float("nan"), "is not distinguishable from that of a linear decoder"),
    ],
)
def test_no_more_is_claimed_than_the_test_allows(
    difference: float,
    p: float,
    words: str,
    derivatives: Derivatives,
    write: Callable[[str, str], Path],
) -> None:
    row = ["accuracy", 0.7, 0.7 - difference, 0.6, 0.8, difference, -0.1, 0.1, 1.5, 8, p, p, 9, 36]
    cells = ["n/a" if each != each else str(each) for each in row]
    write("group_desc-decoding_comparison.tsv", HEADER + "\t".join(cells) + "\n")
    prose, grid = comparison(derivatives)
    assert isinstance(prose, Prose)
    assert isinstance(grid, Grid)
    assert words in prose.text
    assert "paired t(8) = 1.50" in prose.text
    assert "n = 9 participants" in prose.text


def test_without_a_baseline_nothing_is_said(derivatives: Derivatives) -> None:
    assert comparison(derivatives) == ()
