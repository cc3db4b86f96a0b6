import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fmridecode.bids.derivatives import read_table
from fmridecode.errors import BadDataError
from fmridecode.pipeline.group.tables import (
    PREDICTIONS,
    SCORES,
    collect,
    interpretability_tests,
    per_example,
    scorable,
)


def group(out: Path, name: str) -> pd.DataFrame:
    return read_table(out / f"group_desc-{name}.tsv")


@pytest.fixture(scope="module")
def predictions(whole: Path) -> pd.DataFrame:
    return collect(whole, PREDICTIONS)


@pytest.fixture(scope="module")
def scores(whole: Path) -> pd.DataFrame:
    return collect(whole, SCORES)


def test_summaries_are_means_over_participants(whole: Path, scores: pd.DataFrame) -> None:
    summary = group(whole, "interpretability_summary").set_index(["method", "criterion"])
    assert len(summary) == 3 * 2
    for (method, criterion), row in summary.iterrows():
        mine = scores[(scores["method"] == method) & (scores["criterion"] == criterion)]
        examples = mine.groupby(["participant_id", "label"])["pearson_r"].mean()
        means = examples.groupby("participant_id").mean()
        assert row["mean"] == pytest.approx(means.mean(), abs=1e-5)
        assert row["standard_error"] == pytest.approx(means.std() / 3, abs=1e-5)
        assert (row["n_maps"], row["n_participants"]) == (27, 9)


def test_tests_are_paired_and_corrected(whole: Path) -> None:
    tests = group(whole, "interpretability_tests")
    assert len(tests) == 2 * 2 * 3  # criteria, units, pairs of methods
    assert (tests.loc[tests["unit"] == "participant", "df"] == 9 - 1).all()
    assert (tests.loc[tests["unit"] == "example", "df"] == 27 - 1).all()
    expected = np.minimum(1, tests["p"] * 3)
    assert np.allclose(tests["p_bonferroni"], expected, rtol=1e-4)


def test_sessions_are_units_of_their_own_over_examples_but_not_over_participants() -> None:
    rows = [
        {
            "participant_id": f"sub-{who}",
            "session_id": f"ses-{when}",
            "label": label,
            "method": method,
            "criterion": "CIA",
            "pearson_r": r,
        }
        for who in (1, 2, 3)
        for when in (1, 2)
        for label in ("a", "b")
        for method, r in zip(
            ("x", "y"), np.random.default_rng(who * 10 + when).random(2), strict=True
        )
    ]
    table = pd.DataFrame(rows)
    assert len(per_example(table)) == 24
    tests = interpretability_tests(table).set_index("unit")
    assert tests.loc["participant", "df"] == 2
    assert tests.loc["example", "df"] == 11


def test_every_group_table_explains_its_columns(whole: Path) -> None:
    paths = sorted(whole.glob("group_*.tsv"))
    assert len(paths) >= 6
    for path in paths:
        dictionary = json.loads(path.with_suffix(".json").read_text())
        assert set(dictionary) == set(read_table(path).columns)


def test_what_a_decoder_made_of_its_own_training_maps_is_left_out(
    predictions: pd.DataFrame, scores: pd.DataFrame
) -> None:
    seen = predictions.assign(seen_in_training=predictions["participant_id"] == "sub-001")
    kept, kept_scores = scorable(seen, scores)
    assert "sub-001" not in set(kept["participant_id"]) | set(kept_scores["participant_id"])
    assert len(kept) == (predictions["participant_id"] != "sub-001").sum()
    kept, kept_scores = scorable(predictions.assign(seen_in_training=True), scores)
    assert kept.empty
    assert kept_scores.empty


def test_maps_of_classes_that_the_decoder_does_not_know_are_left_out(
    predictions: pd.DataFrame, scores: pd.DataFrame, caplog: pytest.LogCaptureFixture
) -> None:
    first = predictions["true_label"].iloc[0]
    strange = predictions["true_label"] == first
    unknown = predictions.assign(
        true_label=predictions["true_label"].where(~strange, None),
        correct=predictions["correct"].astype("boolean").where(~strange),
    )
    kept, _ = scorable(unknown, scores)
    assert set(kept["true_label"]) == set(predictions["true_label"]) - {first}
    assert kept["correct"].dtype == bool
    assert f"{strange.sum()} of {len(strange)} maps" in caplog.text


def test_tables_of_other_classes_are_not_mixed(
    whole: Path, study: Path, job: Callable[..., int], tmp_path: Path
) -> None:
    for who, name in (("sub-1", "a"), ("sub-2", "b")):
        path = tmp_path / who / "func" / f"{who}_{PREDICTIONS}"
        path.parent.mkdir(parents=True)
        path.write_text(f"participant_id\tprob_{name}\n{who}\t1\n")
    with pytest.raises(BadDataError, match=r"sub-2_.* has other columns than .*sub-1_"):
        collect(tmp_path, PREDICTIONS)
