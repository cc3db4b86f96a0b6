import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, log_loss

from fmridecode.bids.derivatives import read_table
from fmridecode.errors import BadDataError
from fmridecode.pipeline.evaluate import (
    PREDICTIONS,
    SCORES,
    collect,
    confusion_table,
    interpretability_tests,
    metrics_table,
    per_example,
    unseen,
)


def group(out: Path, name: str) -> pd.DataFrame:
    return read_table(out / f"group_desc-{name}.tsv")


@pytest.fixture(scope="module")
def predictions(whole: Path) -> pd.DataFrame:
    return collect(whole, PREDICTIONS)


@pytest.fixture(scope="module")
def scores(whole: Path) -> pd.DataFrame:
    return collect(whole, SCORES)


def test_the_metrics_are_those_of_scikit_learn(whole: Path, predictions: pd.DataFrame) -> None:
    table = group(whole, "decoding_metrics").set_index("metric")
    truth, guess = predictions["true_label"], predictions["predicted_label"]
    p = predictions[[c for c in predictions if c.startswith("prob_")]].to_numpy()
    expected = {
        "accuracy": predictions["correct"].mean(),
        "balanced_accuracy": balanced_accuracy_score(truth, guess),
        "log_loss": log_loss(truth, p / p.sum(axis=1, keepdims=True)),
    }
    for metric, value in expected.items():
        row = table.loc[metric]
        assert row["estimate"] == pytest.approx(value, abs=1e-5)
        assert row["ci_low"] <= row["estimate"] <= row["ci_high"]
        assert (row["n_participants"], row["n_maps"]) == (9, 27)
    assert table.loc["accuracy", "chance"] == pytest.approx(1 / 3, abs=1e-5)


def test_participants_of_many_maps_weigh_more_in_every_resample() -> None:
    rows = [("sub-1", True)] * 9 + [("sub-2", False)]
    table = pd.DataFrame(rows, columns=["participant_id", "correct"])
    table["true_label"] = "a"
    table["predicted_label"] = np.where(table["correct"], "a", "b")
    table["prob_a"], table["prob_b"] = 0.5, 0.5
    found = metrics_table(table, seed=0).set_index("metric").loc["accuracy"]
    assert found["estimate"] == 0.9
    assert (found["ci_low"], found["ci_high"]) == (0, 1)


def test_task_accuracy_counts_conditions_of_the_right_task() -> None:
    table = pd.DataFrame(
        {
            "participant_id": ["sub-1", "sub-1", "sub-2"],
            "true_label": ["heat", "warm", "friend"],
            "predicted_label": ["warm", "friend", "friend"],
            "true_task": ["pain", "pain", "social"],
            "predicted_task": ["pain", "social", "social"],
            **{f"prob_{name}": 1 / 3 for name in ("friend", "heat", "warm")},
        }
    )
    row = metrics_table(table, seed=0).set_index("metric").loc["task_accuracy"]
    assert row["estimate"] == pytest.approx(2 / 3)
    assert row["chance"] == pytest.approx((2 / 3) ** 2 + (1 / 3) ** 2)


def test_the_confusion_matrix_counts_every_map_once(
    whole: Path, predictions: pd.DataFrame
) -> None:
    counts = group(whole, "confusion_counts").set_index("true_label")
    assert counts.to_numpy().sum() == 27
    assert (counts.sum(axis=1) == 9).all()
    right = np.diag(counts.loc[counts.columns].to_numpy()).sum()
    assert right == predictions["correct"].sum()
    assert confusion_table(predictions).set_index("true_label").equals(counts)


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
    kept, kept_scores = unseen(seen, scores)
    assert "sub-001" not in set(kept["participant_id"]) | set(kept_scores["participant_id"])
    with pytest.raises(BadDataError, match="nothing can be evaluated"):
        unseen(predictions.assign(seen_in_training=True), scores)


def test_tables_of_other_classes_are_not_mixed(
    whole: Path, study: Path, job: Callable[..., int], tmp_path: Path
) -> None:
    for who, name in (("sub-1", "a"), ("sub-2", "b")):
        path = tmp_path / who / "func" / f"{who}_{PREDICTIONS}"
        path.parent.mkdir(parents=True)
        path.write_text(f"participant_id\tprob_{name}\n{who}\t1\n")
    with pytest.raises(BadDataError, match=r"sub-2_.* has other columns than .*sub-1_"):
        collect(tmp_path, PREDICTIONS)
