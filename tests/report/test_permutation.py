from collections.abc import Callable
from pathlib import Path

from fmridecode.report.derivatives import Derivatives
from fmridecode.report.group.permutation import permutation

HEADER = "metric\tdecoder\trefitted\tobserved\tnull_mean\tnull_high\tp\tn_permutations\n"


def test_refitted_decoders_are_told_from_outputs_that_were_scored_again(
    derivatives: Derivatives, write: Callable[[str, str], Path]
) -> None:
    rows = (
        "accuracy\tdecoder\tfalse\t0.6\t0.25\t0.3\t0.0002\t5000\n"
        "balanced_accuracy\tdecoder\tfalse\t0.6\t0.25\t0.3\t0.0002\t5000\n"
        "accuracy\tbaseline\ttrue\t0.55\t0.24\t0.31\t0.01\t99\n"
    )
    write("group_desc-decoding_permutation.tsv", HEADER + rows)
    scored, refitted = (block.text for block in permutation(derivatives))
    assert "scored anew, not trained anew" in scored
    assert "Trained anew on every fold" in refitted
    assert "99 times, the linear decoder to compare with" in refitted
    assert "it has 0.55 (one-sided permutation test, p = 0.010)" in refitted
    assert 'href="group_desc-decoding_permutation.tsv"' in refitted
