from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from fmridecode.bids.derivatives import read_table
from fmridecode.core.calibration import brier_scores, negative_log_likelihood
from fmridecode.pipeline.group.calibration import calibration_table, reliability_table


def predictions_of(logits: np.ndarray, labels: np.ndarray, temperatures: object) -> pd.DataFrame:
    names = np.array(["a", "b", "c"])
    p = softmax(logits / np.reshape(temperatures, (-1, 1)), axis=1)
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{k // 3}" for k in range(len(labels))],
            "true_label": names[labels],
            "predicted_label": names[p.argmax(axis=1)],
            **{f"prob_{name}": p[:, k] for k, name in enumerate(names)},
            "temperature": temperatures,
        }
    )


@pytest.mark.parametrize("temperature", [0.05, 1.0, 7.0])
def test_what_was_said_before_calibration_is_recovered(temperature: float) -> None:
    rng = np.random.default_rng(0)
    logits, labels = 2 * rng.standard_normal((60, 3)), rng.integers(0, 3, 60)
    temperatures = np.where(np.arange(60) < 30, temperature, 2 * temperature)
    table = calibration_table(predictions_of(logits, labels, temperatures)).set_index("stage")
    before = table.loc["uncalibrated"]
    assert before["log_loss"] == pytest.approx(negative_log_likelihood(logits, labels), rel=1e-6)
    expected = brier_scores(softmax(logits, axis=1), labels).mean()
    assert before["brier_score"] == pytest.approx(expected, rel=1e-6)


def test_predictions_that_name_no_temperature_are_shown_calibrated_only() -> None:
    rng = np.random.default_rng(0)
    table = predictions_of(rng.standard_normal((9, 3)), rng.integers(0, 3, 9), np.ones(9))
    assert list(calibration_table(table.drop(columns="temperature"))["stage"]) == ["calibrated"]


def test_the_bins_of_the_reliability_table_add_up_to_the_calibration_error(whole: Path) -> None:
    bins = read_table(whole / "group_desc-decoding_reliability.tsv")
    said = read_table(whole / "group_desc-decoding_calibration.tsv").set_index("stage")
    assert list(said.index) == ["uncalibrated", "calibrated"]
    for stage, rows in bins.groupby("stage"):
        assert rows["n_maps"].sum() == said.loc[stage, "n_maps"] == 27
        gap = ((rows["accuracy"] - rows["confidence"]).abs() * rows["n_maps"]).sum() / 27
        assert gap == pytest.approx(said.loc[stage, "ece"], abs=1e-5)
        assert (rows["bin_low"] <= rows["confidence"] + 1e-5).all()
        assert (rows["confidence"] <= rows["bin_high"] + 1e-5).all()


def test_perfectly_calibrated_probabilities_lie_near_the_diagonal() -> None:
    rng = np.random.default_rng(1)
    logits = 2 * rng.standard_normal((20_000, 3))
    p = softmax(logits, axis=1)
    labels = (rng.random((20_000, 1)) > p.cumsum(axis=1)).sum(axis=1)
    rows = reliability_table(predictions_of(logits, labels, np.ones(20_000)))
    rows = rows[rows["n_maps"] > 300]
    assert np.abs(rows["accuracy"] - rows["confidence"]).max() < 0.08
