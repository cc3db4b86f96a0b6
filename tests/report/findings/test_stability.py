from collections.abc import Callable
from pathlib import Path

import pytest

from fmridecode.report.derivatives import Derivatives
from fmridecode.report.findings import stability

Write = Callable[[str, str], Path]
SCORES = "method\tcriterion\tmean\tstandard_error\tci_low\tci_high\tn_maps\tn_participants\n"
SANITY = (
    "method\trandomised\tdepth\tn_layers\tsimilarity\tvalue\tci_low\tci_high\tmagnitude\tsurvives\t"
    "n_participants\n"
)


@pytest.fixture(autouse=True)
def _best(write: Write) -> None:
    """By either criterion the gradient is best."""
    rows = [f"gradient\t{c}\t0.2\t0.01\t0.1\t0.3\t36\t9\n" for c in ("CIA", "CAD")]
    rows += [f"other\t{c}\t0.1\t0.01\t0.0\t0.2\t36\t9\n" for c in ("CIA", "CAD")]
    write("group_desc-interpretability_summary.tsv", SCORES + "".join(rows))


@pytest.mark.parametrize(
    ("survives", "words"),
    [
        ("false", "do not survive random weights"),
        ("true", "would <strong>survive</strong> random"),
    ],
)
def test_a_method_that_is_marked_is_said_to_survive(
    survives: str, words: str, derivatives: Derivatives, write: Write
) -> None:
    rows = (
        "gradient\tweights\t1\t2\trank_correlation\t0.9\t0.8\t1.0\t0.9\tn/a\t9\n"
        f"gradient\tweights\t2\t2\trank_correlation\t0.3\t0.2\t0.4\t0.3\t{survives}\t9\n"
        "other\tweights\t2\t2\trank_correlation\t0.8\t0.7\t0.9\t0.8\ttrue\t9\n"
        "gradient\tweights\t2\t2\tssim\t0.1\t0.0\t0.2\t0.1\tn/a\t9\n"
    )
    write("group_desc-sanity_summary.tsv", SANITY + rows)
    found = stability.sanity(derivatives)
    assert found is not None
    assert found.sentence.startswith(f"Gradient maps {words}")
    assert "0.30 [0.20, 0.40] (signed), n = 9 participants" in found.sentence
    assert "other" not in found.sentence
    marked = {each["method"]: each["survives"] for each in found.values["methods"]}
    assert marked == {"gradient": survives == "true", "other": True}


def test_decoders_that_have_seen_the_participant_are_called_so(
    derivatives: Derivatives, write: Write
) -> None:
    header = "method\tmeasure\tvalue\tci_low\tci_high\tseen_in_training\tn_participants\n"
    rows = (
        "gradient\tmembers\t0.9\t0.8\t0.95\tfalse\t9\n"
        "gradient\tfolds\t0.6\t0.5\t0.7\ttrue\t9\n"
        "gradient\tsensitivity\t0.01\t0.005\t0.02\tfalse\t9\n"
    )
    write("group_desc-reliability_summary.tsv", header + rows)
    found = stability.reliability(derivatives)
    assert found is not None
    assert "correlate by 0.90 [0.80, 0.95] with those of decoders of other seeds and" in (
        found.sentence
    )
    assert "of other folds, which have seen the participant (n = 9" in found.sentence
    assert [each["seen_in_training"] for each in found.values["measures"]] == [False, True, False]


@pytest.mark.parametrize(
    ("lows", "strongest", "words"),
    [
        ((0.6, 0.5, 0.3, 0.1), 0.05, "above chance for attacks of up to 0.05 SD per voxel (0.35"),
        ((0.6, 0.2, 0.3, 0.1), None, "under the weakest attack that was tried, 0.025 SD"),
    ],
)
def test_the_strongest_attack_that_is_borne_has_no_weaker_one_that_is_not(
    lows: tuple[float, ...],
    strongest: float | None,
    words: str,
    derivatives: Derivatives,
    write: Write,
) -> None:
    header = "metric\tepsilon\tvalue\tci_low\tci_high\tchance\tsteps\tn_participants\n"
    rows = [
        f"accuracy\t{epsilon}\t{low + 0.05}\t{low}\t{low + 0.1}\t0.25\t5\t9\n"
        for epsilon, low in zip((0.0, 0.025, 0.05, 0.1), lows, strict=True)
    ]
    rows.append("probability\t0.1\t0.9\t0.9\t0.9\tn/a\t5\t9\n")
    write("group_desc-robustness_summary.tsv", header + "".join(rows))
    found = stability.robustness(derivatives)
    assert found is not None
    assert found.values["strongest_above_chance"] == strongest
    assert words in found.sentence


def test_what_was_not_measured_is_not_spoken_of(derivatives: Derivatives) -> None:
    for find in (stability.sanity, stability.reliability, stability.robustness):
        assert find(derivatives) is None
