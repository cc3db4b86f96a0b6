from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    balanced_accuracy_score,
    log_loss,
    precision_recall_fscore_support,
    roc_auc_score,
)

from fmridecode.bids.derivatives import read_table
from fmridecode.pipeline.group.decoding import (
    classes_table,
    confusion_table,
    metrics_table,
    permutation_table,
)
from fmridecode.pipeline.group.endings import PREDICTIONS
from fmridecode.pipeline.group.tables import collect


def group(out: Path, name: str) -> pd.DataFrame:
    return read_table(out / f"group_desc-{name}.tsv")


@pytest.fixture(scope="module")
def predictions(whole: Path) -> pd.DataFrame:
    return collect(whole, PREDICTIONS)


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


def test_the_classes_are_scored_as_by_scikit_learn(whole: Path, predictions: pd.DataFrame) -> None:
    table = group(whole, "decoding_classes").set_index("label")
    names = list(table.index)
    truth, guess = predictions["true_label"], predictions["predicted_label"]
    precision, recall, f1, n_maps = precision_recall_fscore_support(
        truth, guess, labels=names, zero_division=np.nan
    )
    for column, expected in {"precision": precision, "recall": recall, "f1": f1}.items():
        assert np.allclose(table[column], expected, atol=1e-5, equal_nan=True)
        known = table.dropna(subset=column)
        assert (known[f"{column}_low"] <= known[column]).all()
        assert (known[column] <= known[f"{column}_high"]).all()
    assert list(table["n_maps"]) == list(n_maps)
    for name in names:
        expected_area = roc_auc_score(truth == name, predictions[f"prob_{name}"])
        assert table.loc[name, "roc_auc"] == pytest.approx(expected_area, abs=1e-5)
    overall = group(whole, "decoding_metrics").set_index("metric").loc["roc_auc", "estimate"]
    assert overall == pytest.approx(table["roc_auc"].mean(), abs=1e-5)


def test_a_class_that_is_never_decoded_has_no_precision() -> None:
    table = pd.DataFrame(
        {
            "participant_id": ["sub-1", "sub-1", "sub-2", "sub-2"],
            "true_label": ["a", "b", "a", "b"],
            "predicted_label": ["a", "a", "a", "a"],
            "prob_a": [0.6, 0.7, 0.8, 0.9],
            "prob_b": [0.4, 0.3, 0.2, 0.1],
        }
    )
    found = classes_table(table, seed=0).set_index("label")
    assert np.isnan(found.loc["b", "precision"])
    assert found.loc["b", "recall"] == 0
    assert found.loc["a", "precision"] == 0.5


def test_the_permutation_test_tells_decoding_from_guessing(
    whole: Path, predictions: pd.DataFrame
) -> None:
    table = group(whole, "decoding_permutation").set_index("metric")
    right = predictions["correct"].mean()
    assert table.loc["accuracy", "observed"] == pytest.approx(right, abs=1e-5)
    perfect = permutation_table(
        predictions.assign(predicted_label=predictions["true_label"]), seed=0
    ).set_index("metric")
    assert perfect["observed"].to_numpy() == pytest.approx(1)
    assert (perfect["p"] == 1 / 5001).all()
    assert perfect["null_mean"].to_numpy() == pytest.approx(1 / 3, abs=0.01)
