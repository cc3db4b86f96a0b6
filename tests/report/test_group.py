"""Claims of the group page that depend on what the tables say."""

from collections.abc import Callable
from pathlib import Path

from fmridecode.report.blocks import Facts, Gallery, Grid, Missing, Prose
from fmridecode.report.derivatives import Derivatives
from fmridecode.report.group import (
    decoding,
    exclusions,
    faithfulness,
    interpretability,
    summary,
    training,
)

Write = Callable[[str, str], Path]

METRICS = "metric\testimate\tci_low\tci_high\tn_participants\tn_maps\tchance\n"
SUMMARY = "method\tcriterion\tmean\tstandard_error\tci_low\tci_high\tn_maps\tn_participants\n"
TESTS = "criterion\tunit\tmethod_a\tmethod_b\tdifference\tt\tdf\tp\tp_bonferroni\n"


def prose(blocks: tuple[object, ...]) -> str:
    return " ".join(str(block.text) for block in blocks if isinstance(block, Prose))


def test_an_interval_that_includes_chance_is_not_called_decoding(
    derivatives: Derivatives, write: Write
) -> None:
    write("group_desc-decoding_metrics.tsv", METRICS + "accuracy\t0.3\t0.2\t0.4\t9\t36\t0.25\n")
    assert "cannot be said to be decoded" in prose(summary.build(derivatives))


def test_the_best_method_is_compared_with_the_second_by_the_test_over_participants(
    derivatives: Derivatives, write: Write
) -> None:
    write("group_desc-decoding_metrics.tsv", METRICS + "accuracy\t0.5\t0.4\t0.6\t9\t36\t0.25\n")
    write(
        "group_desc-interpretability_summary.tsv",
        SUMMARY
        + "gradient\tCIA\t0.1\t0.01\t0.08\t0.12\t36\t9\n"
        + "smoothgrad\tCIA\t0.2\t0.01\t0.18\t0.22\t36\t9\n",
    )
    write(
        "group_desc-interpretability_tests.tsv",
        TESTS
        + "CIA\texample\tgradient\tsmoothgrad\t-0.1\t-9\t35\t0.00001\t0.00001\n"
        + "CIA\tparticipant\tgradient\tsmoothgrad\t-0.1\t-3.2\t8\t0.012\t0.012\n",
    )
    blocks = summary.build(derivatives)
    text = prose(blocks)
    assert "SmoothGrad</strong> maps resemble it most (0.20 [0.18, 0.22])" in text
    assert ", more than Gradient (0.10; paired t(8) = 3.20" in text
    assert "p = 0.012 over 1 pair, n = 9 participants" in text
    facts = next(block for block in blocks if isinstance(block, Facts))
    assert [fact.label for fact in facts.facts] == ["accuracy", "participants", "best CIA"]


def test_the_test_over_participants_is_open_and_the_one_over_maps_folded(
    finished: Path,
) -> None:
    grids = [
        block
        for block in interpretability.build(Derivatives(root=finished))
        if isinstance(block, Grid) and block.caption.startswith("Differences")
    ]
    assert [(grid.opened, "participants’ means" in grid.caption) for grid in grids] == [
        (True, True),
        (False, False),
    ]
    assert "not independent" in grids[1].caption


def test_a_participant_who_both_trained_and_tested_is_reported(
    derivatives: Derivatives, write: Write
) -> None:
    rows = "1\t01\ttrain\n1\t02\ttest\n2\t01\ttest\n2\t01\ttrain\n"
    write("models/cnn/folds.tsv", "fold\tparticipant_id\trole\n" + rows)
    text = prose(training.build(derivatives))
    assert "In fold 2 participants of the test set also trained" in text


def test_predictions_that_do_not_say_what_was_seen_support_no_claim(
    derivatives: Derivatives,
) -> None:
    assert "nothing can be claimed" in prose(training.build(derivatives))


def test_nobody_left_out_is_said(derivatives: Derivatives, write: Write) -> None:
    write("group_desc-excluded_participants.tsv", "participant_id\treason\n")
    assert prose(exclusions.build(derivatives)) == "No participant was left out."


def test_decoding_shows_classes_calibration_and_the_permutation_test(finished: Path) -> None:
    blocks = decoding.build(Derivatives(root=finished))
    captions = [block.caption.split(":")[0] for block in blocks if isinstance(block, Grid)]
    assert "Calibration" in captions
    classes = next(b for b in blocks if isinstance(b, Grid) and b.caption.startswith("Each class"))
    assert [row[1] for row in classes.rows] == ["0.70 [0.50, 0.90]"] * 2 + ["–"]
    assert "exchanged within participants 5\N{NARROW NO-BREAK SPACE}000 times" in prose(blocks)
    assert "one-sided permutation test, p &lt; 0.001" in prose(blocks)
    pictures = next(block for block in blocks if isinstance(block, Gallery)).pictures
    assert any("24 maps; on the dashed line" in picture.caption for picture in pictures)


def test_output_of_an_earlier_version_is_shown_without_the_new_tables(
    derivatives: Derivatives, write: Write
) -> None:
    write("group_desc-decoding_metrics.tsv", METRICS + "accuracy\t0.3\t0.2\t0.4\t9\t36\t0.25\n")
    blocks = decoding.build(derivatives)
    assert sum(isinstance(block, Grid) for block in blocks) == 1


def test_faithfulness_is_drawn_against_maps_as_smooth_and_tabled_against_both(
    finished: Path,
) -> None:
    blocks = faithfulness.build(Derivatives(root=finished))
    pictures = next(block for block in blocks if isinstance(block, Gallery)).pictures
    assert len(pictures) == 4
    assert all("smooth random maps" in picture.caption for picture in pictures)
    curves = [
        each for block in blocks[2:] if isinstance(block, Gallery) for each in block.pictures
    ]
    assert len(curves) == 3 * 2 * 2
    assert "SmoothGrad, insertion. Mean over 8 participants" in curves[-1].caption
    assert "as a gain: 0.200 [0.180, 0.220]" in curves[-1].caption
    grid = next(block for block in blocks if isinstance(block, Grid))
    assert len(grid.rows) == 24
    assert ("SmoothGrad", "signed", "zero", "deletion", "random", "0.200") in [
        row[:6] for row in grid.rows
    ]


def test_faithfulness_that_was_not_computed_is_named(derivatives: Derivatives) -> None:
    (missing,) = faithfulness.build(derivatives)
    assert isinstance(missing, Missing)
    assert "--faithfulness off" in missing.remedy
