from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fmridecode.bids.derivatives import read_table
from fmridecode.core.robustness import STRENGTHS
from fmridecode.pipeline.group.endings import PREDICTIONS
from fmridecode.pipeline.group.robustness import ROBUSTNESS, robustness_summary
from fmridecode.pipeline.group.tables import collect


def test_without_an_attack_accuracy_is_that_of_the_predictions(whole: Path) -> None:
    table, predictions = collect(whole, ROBUSTNESS), collect(whole, PREDICTIONS)
    assert len(table) == 27 * len(STRENGTHS)
    assert (table["epsilon_trained"] == 0.1).all()
    clean = table[table["epsilon"] == 0]
    assert clean["correct"].mean() == predictions["correct"].mean()
    metrics = read_table(whole / "group_desc-decoding_metrics.tsv").set_index("metric")
    summary = read_table(whole / "group_desc-robustness_summary.tsv")
    accuracy = summary[summary["metric"] == "accuracy"].set_index("epsilon")
    assert accuracy.loc[0, "value"] == pytest.approx(metrics.loc["accuracy", "estimate"])
    assert accuracy.loc[0, "ci_low"] == pytest.approx(metrics.loc["accuracy", "ci_low"])
    assert accuracy["value"].is_monotonic_decreasing
    assert accuracy["value"].iloc[-1] < accuracy["value"].iloc[0]


def test_a_participant_with_more_maps_counts_for_more_as_in_accuracy() -> None:
    rows = pd.DataFrame(
        {
            "participant_id": ["sub-1"] * 3 + ["sub-2"],
            "label": ["a", "b", "c", "a"],
            "epsilon": 0.0,
            "probability": [0.2, 0.4, 0.6, 0.8],
            "correct": [True, True, True, False],
            "steps": 5,
            "epsilon_trained": np.nan,
        }
    )
    table = robustness_summary(rows, seed=0).set_index("metric")
    assert table.loc["accuracy", "value"] == pytest.approx(0.75)
    assert table.loc["probability", "value"] == pytest.approx(0.5)
    assert table.loc["accuracy", "chance"] == pytest.approx(1 / 3)
