import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss

from fmridecode.errors import BadDataError
from fmridecode.pipeline.group.comparison import COMPARISON_DICTIONARY, comparison_table

NAMES = ["a", "b", "c"]


def predictions(seed: int, *, skill: float = 1.0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = []
    for who in range(12):
        for k, name in enumerate(NAMES):
            p = random.dirichlet(np.ones(3) + 4 * skill * np.eye(3)[k])
            rows.append(
                {
                    "participant_id": f"sub-{who:02d}",
                    "session_id": None,
                    "source": f"bids::{who}-{k}",
                    "true_label": name,
                    "predicted_label": NAMES[int(p.argmax())],
                    **{f"prob_{each}": value for each, value in zip(NAMES, p, strict=True)},
                }
            )
    return pd.DataFrame(rows)


def test_values_are_those_of_scikit_learn_and_the_test_that_of_scipy() -> None:
    ours, theirs = predictions(0), predictions(1, skill=0.3)
    table = comparison_table(ours, theirs, seed=0).set_index("metric")
    assert [*table.reset_index().columns] == [*COMPARISON_DICTIONARY]
    columns = [f"prob_{name}" for name in NAMES]
    for column, each in (("decoder", ours), ("baseline", theirs)):
        truth, guess = each["true_label"], each["predicted_label"]
        expected = {
            "accuracy": accuracy_score(truth, guess),
            "balanced_accuracy": balanced_accuracy_score(truth, guess),
            "log_loss": log_loss(truth, each[columns].to_numpy()),
        }
        for metric, value in expected.items():
            assert table.loc[metric, column] == pytest.approx(value)
    means = [
        (each["true_label"] == each["predicted_label"]).groupby(each["participant_id"]).mean()
        for each in (ours, theirs)
    ]
    found = stats.ttest_rel(*means)
    row = table.loc["accuracy"]
    assert (row["t"], row["p"], row["df"]) == pytest.approx((found.statistic, found.pvalue, 11))
    assert row["ci_low"] < row["difference"] < row["ci_high"]
    assert abs(row["p_sign_flip"] - row["p"]) < 0.05
    assert (row["n_participants"], row["n_maps"]) == (12, 36)


def test_the_order_of_the_rows_does_not_matter() -> None:
    ours, theirs = predictions(0), predictions(1)
    mixed = theirs.sample(frac=1, random_state=0)
    assert comparison_table(ours, mixed, seed=0).equals(comparison_table(ours, theirs, seed=0))


def test_a_decoder_does_not_differ_from_itself() -> None:
    table = comparison_table(predictions(0), predictions(0), seed=0)
    assert (table[["difference", "ci_low", "ci_high", "t"]] == 0).all(axis=None)
    assert (table[["p", "p_sign_flip"]] == 1).all(axis=None)


def test_other_maps_are_refused() -> None:
    with pytest.raises(BadDataError, match="not about the maps"):
        comparison_table(predictions(0), predictions(1).iloc[3:], seed=0)
