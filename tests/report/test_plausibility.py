"""What the pages say of maps that are out of line."""

from collections.abc import Callable
from pathlib import Path

import pytest

from fmridecode.errors import BadDataError
from fmridecode.report import build_group, build_participant
from fmridecode.report.blocks import Grid, Listing, Missing, Prose
from fmridecode.report.derivatives import Derivatives, Participant
from fmridecode.report.group import plausibility
from fmridecode.report.participant import overview

Write = Callable[[str, str], Path]
TABLE = "logs/plausibility.tsv"
HEADER = "source\tparticipant_id\tlabel\tcoverage\treasons\n"
SOUND = "bids:x:a\tsub-01\tpain\t0.9\tn/a\n"
ODD = "bids:x:b\tsub-02\tpain\t0.5\tit has data in 50%\n"


def text(blocks: tuple[object, ...]) -> str:
    return " ".join(str(block.text) for block in blocks if isinstance(block, Prose))


def test_outliers_are_listed_with_file_and_reason(finished: Path, hostile: str) -> None:
    said, outliers, checked = plausibility.build(Derivatives(root=finished))
    assert isinstance(said, Prose)
    assert "Of each of 24 maps of 8 participants it was checked" in said.text
    assert "Outliers: 1, of 1 participant." in said.text
    assert isinstance(outliers, Grid)
    assert outliers.sources[0].href == TABLE
    ((who, label, file, reason),) = outliers.rows
    assert who == '<a href="sub-02.html">sub-02</a>'
    assert label == "rejection"
    assert file == f"bids:maps:sub-02_contrast-rejection_statmap.nii.gz{hostile}"
    assert reason == f"cut by 32 mm, inferior {hostile}"
    assert isinstance(checked, Grid)
    assert checked.rows[0] == (
        "Brain mask with data (share)", "0.9", "0.9", "0.9", f"An outlier below 0.8 {hostile}.",
    )  # fmt: skip
    assert checked.rows[1][1:4] == ("8", "8", "32")


def test_no_outlier_is_said(derivatives: Derivatives, write: Write) -> None:
    write(TABLE, HEADER + SOUND)
    blocks = plausibility.build(derivatives)
    assert "Of each of 1 map of 1 participant" in text(blocks)
    assert text(blocks).endswith("Outliers: none.")
    assert len(blocks) == 2


def test_a_check_that_was_not_recorded_is_named(derivatives: Derivatives) -> None:
    (block,) = plausibility.build(derivatives)
    assert isinstance(block, Missing)
    assert block.file == TABLE


def test_a_damaged_table_is_one_clear_line(derivatives: Derivatives, write: Write) -> None:
    write(TABLE, "a\tb\n1\n")
    with pytest.raises(BadDataError, match="lacks the column source"):
        plausibility.build(derivatives)


def participant(derivatives: Derivatives, write: Write, label: str) -> tuple[object, ...]:
    name = f"sub-{label}/func/sub-{label}_desc-decoding_predictions.tsv"
    write(name, "true_label\tpredicted_label\npain\tpain\n")
    return overview.build(Participant(derivatives=derivatives, label=label))


def test_a_participants_page_names_the_outliers_of_that_participant_alone(
    derivatives: Derivatives, write: Write
) -> None:
    assert "lausib" not in text(participant(derivatives, write, "02"))
    write(TABLE, HEADER + SOUND + ODD)
    link = f'<a href="{TABLE}">{TABLE}</a>'
    blocks = participant(derivatives, write, "02")
    assert f"<strong>Careful:</strong> of 1 map, 1 is out of line ({link})." in text(blocks)
    assert blocks[-1] == Listing(texts=("bids:x:b: it has data in 50%",))
    assert f"Plausibility of 1 map: no outlier ({link})." in text(
        participant(derivatives, write, "01")
    )
    assert "lausib" not in text(participant(derivatives, write, "03"))


def test_files_and_reasons_with_markup_appear_as_text(finished: Path, hostile: str) -> None:
    for path in (build_group(finished), build_participant(finished, "02")):
        html = path.read_text(encoding="utf-8")
        assert hostile not in html
        assert "cut by 32 mm, inferior &lt;script&gt;alert(1)&lt;/script&gt;" in html
        assert "rejection_statmap.nii.gz&lt;script&gt;" in html
        assert f'href="{TABLE}"' in html
