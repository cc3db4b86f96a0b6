from collections.abc import Callable
from pathlib import Path

import pytest

from fmridecode.report.derivatives import Derivatives
from fmridecode.report.findings import faithfulness

SCORES = "method\tcriterion\tmean\tstandard_error\tci_low\tci_high\tn_maps\tn_participants\n"
GAINS = (
    "method\torder\treplacement\tcurve\treference\tgain\tci_low\tci_high\tn_maps\tn_participants\n"
)


@pytest.fixture
def write_gains(write: Callable[[str, str], Path]) -> Callable[[float, float], None]:
    """Write gains of the best method by magnitude, with intervals of a width of 0.02."""

    def write_them(deletion: float, insertion: float) -> None:
        write(
            "group_desc-interpretability_summary.tsv",
            SCORES + "gradient\tCIA\t0.1\t0.01\t0.08\t0.12\t36\t9\n"
            "other\tCIA\t0.05\t0.01\t0.04\t0.06\t36\t9\n",
        )
        rows = [
            (method, order, replacement, curve, reference, gain)
            for method in ("gradient", "other")
            for order in ("absolute", "signed")
            for replacement in ("zero", "smoothed")
            for curve, known in (("deletion", deletion), ("insertion", insertion))
            for reference in ("random", "smooth-random")
            for gain in (
                known
                if (method, order, replacement, reference)
                == ("gradient", "absolute", "zero", "smooth-random")
                else 0.5,
            )
        ]
        text = "".join(
            "\t".join(map(str, (*row, row[-1] - 0.01, row[-1] + 0.01, 36, 9))) + "\n"
            for row in rows
        )
        write("group_desc-faithfulness_summary.tsv", GAINS + text)

    return write_them


@pytest.mark.parametrize(
    ("deletion", "insertion", "verdict", "words"),
    [
        (0.05, 0.04, "faithful", "are <strong>faithful</strong> to it"),
        (0.05, 0.0, "faithful in part", "faithful to it by one of two measures"),
        (0.005, 0.0, "not distinguishable from random maps", "not distinguishably</strong> more"),
        (-0.05, 0.0, "less faithful than random maps", "less faithful</strong> to it than random"),
        (-0.05, 0.05, "less faithful than random maps in part", "less faithful to it than random"),
    ],
)
def test_the_verdict_is_what_the_intervals_allow(
    deletion: float,
    insertion: float,
    verdict: str,
    words: str,
    derivatives: Derivatives,
    write_gains: Callable[[float, float], None],
) -> None:
    write_gains(deletion, insertion)
    found = faithfulness.found(derivatives)
    assert found is not None
    (only,) = found.values["methods"]
    assert (only["method"], only["verdict"]) == ("gradient", verdict)
    assert words in found.sentence
    assert "n = 9 participants" in found.sentence


def test_without_a_test_nothing_is_claimed(derivatives: Derivatives) -> None:
    assert faithfulness.found(derivatives) is None
