"""The page says which predictions should not be taken as they are."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fmridecode.report import build_group, build_participant

from .conftest import write_map, write_table

GIVEN = {
    "model": "some.zip",
    "title": "Seven tasks <b>",
    "hashes": ["abcdef0123456789"],
    "dataset": "A study",
    "n_maps": 700,
    "n_participants": 100,
    "architecture": "cnn",
    "training": "adversarial",
    "classes": [{"name": "motor"}, {"name": "language"}],
    "labels": {"hand": "motor"},
    "space": "S",
    "resolution": 4,
    "zscore": "brain",
}


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Write the predictions of one participant by a given decoder."""
    rows = [
        ("hand", "motor", "motor", True, False, 1.0, 0.6),
        ("pain", None, "language", None, False, 12.5, 1.0),
        ("words", "language", "motor", False, True, 0.5, 1.0),
    ]
    table = pd.DataFrame(
        [
            {
                "participant_id": "sub-01",
                "session_id": None,
                "data_label": own,
                "true_label": true,
                "predicted_label": predicted,
                "correct": correct,
                "prob_language": 0.4,
                "prob_motor": 0.6,
                "fold": None,
                "seen_in_training": seen,
                "unlike_training": distance,
                "unlike_in": "fwhm",
                "disagreement": 0.1,
                "agreement": agreement,
            }
            for own, true, predicted, correct, seen, distance, agreement in rows
        ]
    )
    write_table(tmp_path / "sub-01" / "func" / "sub-01_desc-decoding_predictions.tsv", table)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "given.json").write_text(json.dumps(GIVEN))
    return tmp_path


def test_the_group_page_counts_what_speaks_against_a_prediction(output: Path) -> None:
    html = build_group(output).read_text()
    section = html[html.index('id="doubts"') :]
    section = section[: section.index("</section>")]
    for words in (
        "Of a class that the decoder does not know",
        "Maps unlike the training maps, the 1 farthest",
        "12.5",
        "hand = motor",
        "Seven tasks &lt;b&gt;",
        "models/given.json",
    ):
        assert words in section, words
    for doubt in (
        "Of a class that the decoder does not know",
        "Seen in training",
        "Unlike the training maps",
        "Decoders of the ensemble disagree",
    ):
        assert re.search(rf"{doubt}\s*</t.>\s*<td[^>]*>\s*1\s*</td>", section), doubt


def test_where_no_map_is_far_from_the_training_maps_none_is_listed(output: Path) -> None:
    table = next(output.glob("sub-01/func/*_desc-decoding_predictions.tsv"))
    assert "the 1 farthest" in build_group(output).read_text(encoding="utf-8")
    table.write_text(table.read_text().replace("12.5", "1.5"))
    assert "farthest" not in build_group(output).read_text(encoding="utf-8")


def test_the_participant_page_shows_maps_of_unknown_classes_as_such(output: Path) -> None:
    html = build_participant(output, "01").read_text()
    assert "1 of 2" in html
    assert ">n/a<" in html.replace(" ", "")
    assert "3 conditions" in html
    assert "nan" not in html.split("Predictions, with")[1][:3000]


def test_where_nothing_can_be_scored_the_summary_says_why(output: Path) -> None:
    path = next(output.glob("sub-01/func/*_predictions.tsv"))
    table = pd.read_csv(path, sep="\t", na_values=["n/a"])
    assert "nothing to summarise" in build_group(output).read_text()
    write_table(path, table.assign(seen_in_training=True))
    assert "None of 3 maps can be scored" in build_group(output).read_text()


def test_a_map_of_an_unknown_class_is_shown_for_what_it_was_decoded_as(output: Path) -> None:
    sidecar = {
        "SaliencyMethod": "gradient",
        "TargetClass": "language",
        "DataClass": "pain",
        "DecoderHash": "abcdef",
    }
    func = output / "sub-01" / "func"
    values = np.random.default_rng(0).normal(size=(25, 29, 25)).astype(np.float32)
    stem = "sub-01_task-pain_space-S_res-{}_desc-gradientToLanguage_saliency.nii.gz"
    write_map(func / stem.format("08"), values, **sidecar)
    write_map(func / stem.format("04"), values, **sidecar, ResampledFrom="the decoder's grid")
    html = build_participant(output, "01").read_text()
    assert html.count("of pain, decoded as language") == 1
