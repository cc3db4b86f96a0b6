"""What the page says of sanity, reliability and robustness depends on the tables alone."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fmridecode.core.randomisation import SURVIVES
from fmridecode.core.reliability import RADIUS
from fmridecode.report.blocks import Gallery, Grid, Missing, Picture, Prose
from fmridecode.report.derivatives import Derivatives
from fmridecode.report.group import reliability, robustness, sanity

Write = Callable[[str, str], Path]
SANITY = (
    "method\trandomised\tdepth\tn_layers\tlayer\tsimilarity\tvalue\tci_low\tci_high\tmagnitude\t"
    "survives\tn_maps\tn_draws\tn_participants\n"
)


def prose(blocks: tuple[object, ...]) -> str:
    return " ".join(str(block.text) for block in blocks if isinstance(block, Prose))


def pictures(blocks: tuple[object, ...]) -> list[Picture]:
    return [each for block in blocks if isinstance(block, Gallery) for each in block.pictures]


def test_the_page_names_the_numbers_of_the_computation() -> None:
    assert sanity.THRESHOLD == SURVIVES
    assert f"at most {RADIUS:g} SD" in reliability._MEASURES["sensitivity"][1]


def test_methods_that_survive_are_marked_and_the_others_named(finished: Path) -> None:
    blocks = sanity.build(Derivatives(root=finished))
    text = prose(blocks)
    assert "Gradient × input (rank correlation of magnitudes 0.64 and rank correlation of" in text
    assert "0.64 to a decoder of permuted labels)" in text
    assert "n = 8 participants" in text
    assert "Not marked: Gradient and SmoothGrad." in text
    found = pictures(blocks)
    assert len(found) == 3
    assert all("8 participants (24 maps)" in each.caption for each in found)
    assert all(each.sources[0].name == "group_desc-sanity_summary.tsv" for each in found)
    (grid,) = (block for block in blocks if isinstance(block, Grid))
    marked = [row for row in grid.rows if row[6] == "yes"]
    assert [row[:2] for row in marked] == [
        ("Gradient × input", "2 of 2 layers, down to convolution 1"),
        ("Gradient × input", "labels, in training"),
    ]


def test_where_nothing_survives_that_is_said(derivatives: Derivatives, write: Write) -> None:
    start = "gradient\tweights\t1\t1\tlogits\t"
    ranks = "rank_correlation\t-0.02\t-0.1\t0.06\t0.08\tfalse\t9\t1\t3\n"
    ssim = "ssim\t0.02\t0\t0.06\t0.9\tn/a\t9\t1\t3\n"
    write("group_desc-sanity_summary.tsv", SANITY + start + ranks + start + ssim)
    text = prose(sanity.build(derivatives))
    assert "No method is marked" in text
    assert "at most 0.08 (n = 3 participants)" in text


def test_decoders_of_other_folds_are_said_to_have_seen_the_participant(finished: Path) -> None:
    blocks = reliability.build(Derivatives(root=finished))
    found = pictures(blocks)
    assert len(found) == 3 + 3  # measures, methods
    (folds,) = (each for each in found if each.caption.startswith("Between folds"))
    assert "have seen the participant in training or validation" in folds.caption
    assert "no score of decoding" in prose(blocks)
    assert all("by other decoders" in each.caption for each in found[3:])


def test_the_bound_of_training_is_marked_on_the_curve(finished: Path) -> None:
    blocks = robustness.build(Derivatives(root=finished))
    accuracy, probability = pictures(blocks)
    assert "trained at" in accuracy.markup
    assert "chance" in accuracy.markup
    assert "chance" not in probability.markup
    assert "training’s noise, 0.1" in accuracy.caption
    assert "8 participants (24 maps)" in accuracy.caption
    assert "by 5 steps" in prose(blocks)


def test_decoders_trained_without_noise_have_no_mark(
    derivatives: Derivatives, write: Write, finished: Path
) -> None:
    name = "group_desc-robustness_summary.tsv"
    write(name, (finished / name).read_text().replace("\t5\t0.1\t", "\t5\tn/a\t"))
    accuracy, _ = pictures(robustness.build(derivatives))
    assert "trained at" not in accuracy.markup
    assert "trained without noise" in accuracy.caption


@pytest.mark.parametrize(
    ("section", "option"),
    [(sanity, "--sanity"), (reliability, "--reliability"), (robustness, "--robustness")],
)
def test_what_was_not_measured_is_named(
    section: object, option: str, derivatives: Derivatives
) -> None:
    (missing,) = section.build(derivatives)
    assert isinstance(missing, Missing)
    assert f"{option} off" in missing.remedy
