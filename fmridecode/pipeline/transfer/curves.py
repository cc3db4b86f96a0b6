"""The tables and the figure of learning curves."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fmridecode.bids.atomic import write_atomically
from fmridecode.bids.derivatives import write_table
from fmridecode.core.statistics import Estimate, bootstrap, paired_tests
from fmridecode.pipeline.transfer.learn import ARMS, STARTED
from fmridecode.report.charts.learning import Curve, learning_figure

PREDICTIONS_DICTIONARY = {
    "arm": "; ".join(f"{name}: {words}" for name, words in ARMS.items()) + ".",
    "size": "Participants that trained and validated.",
    "draw": "Number of the random subset, from 1.",
    "fold": "Fold of the test participants, from 1.",
    "participant_id": "Participant tested.",
    "true_label": "Class of the map.",
    "predicted_label": "Class that it was taken for.",
    "correct": "Whether the two agree.",
}
CURVES_DICTIONARY = {
    "arm": PREDICTIONS_DICTIONARY["arm"],
    "size": PREDICTIONS_DICTIONARY["size"],
    "accuracy": "Mean over test participants of their share of maps decoded rightly, over draws.",
    "ci_low": "Lower end of its 95 % bootstrap interval over test participants.",
    "ci_high": "Upper end of that interval.",
    "draws": "Random subsets.",
    "n_participants": "Test participants.",
}
TESTS_DICTIONARY = {
    "size": PREDICTIONS_DICTIONARY["size"],
    "arm_a": "The network started from another decoder.",
    "arm_b": "The arm that it is compared with.",
    "difference": "Accuracy of a minus b, mean over test participants.",
    "ci_low": "Lower end of the difference's 95 % bootstrap interval over test participants.",
    "ci_high": "Upper end of that interval.",
    "t": "Two-sided paired t statistic over test participants.",
    "df": "Degrees of freedom.",
    "p": "Uncorrected p value.",
    "p_bonferroni": "p times the number of rows.",
}


def write_curves(out: Path, predictions: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Write predictions, curves, tests and the figure; return the curves."""
    curves = curves_table(predictions, seed=seed)
    write_table(out / "predictions.tsv", predictions, PREDICTIONS_DICTIONARY)
    write_table(out / "curves.tsv", curves, CURVES_DICTIONARY)
    write_table(out / "tests.tsv", tests_table(predictions, seed=seed), TESTS_DICTIONARY)
    chance = 1 / predictions["true_label"].nunique()
    figure = learning_figure(_drawn(curves), chance=chance)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=200, metadata={"Software": None})
    write_atomically(out / "curves.png", buffer.getvalue())
    return curves


def curves_table(predictions: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the accuracy of every arm at every size, with intervals over test participants."""
    rows = []
    for (arm, size), part in predictions.groupby(["arm", "size"], sort=False):
        values = _by_participant(part)
        found = _mean(values, seed)
        rows.append(
            {
                "arm": arm,
                "size": size,
                "accuracy": found.value,
                "ci_low": found.low,
                "ci_high": found.high,
                "draws": part["draw"].nunique(),
                "n_participants": len(values),
            }
        )
    return pd.DataFrame(rows)


def tests_table(predictions: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Compare the arm that starts from another decoder with every other, at every size."""
    rows = []
    others = [arm for arm in ARMS if arm != STARTED]
    for size, part in predictions.groupby("size", sort=True):
        values = {arm: _by_participant(part[part["arm"] == arm]) for arm in ARMS}
        for arm in others:
            difference = values[STARTED] - values[arm]
            (test,) = paired_tests({STARTED: values[STARTED], arm: values[arm]})
            interval = _mean(difference, seed)
            rows.append(
                {
                    "size": size,
                    "arm_a": STARTED,
                    "arm_b": arm,
                    "difference": test.difference,
                    "ci_low": interval.low,
                    "ci_high": interval.high,
                    "t": test.t,
                    "df": test.df,
                    "p": test.p,
                }
            )
    table = pd.DataFrame(rows)
    return table.assign(p_bonferroni=np.minimum(table["p"] * len(table), 1.0))


def _mean(values: NDArray[np.float64], seed: int) -> Estimate:
    return bootstrap(
        len(values),
        lambda draw: float(values[draw].mean()),
        generator=np.random.default_rng(seed),
    )


def _by_participant(part: pd.DataFrame) -> NDArray[np.float64]:
    """Return each participant's accuracy, averaged over draws, in the order of the labels."""
    means = part.groupby("participant_id", sort=True)["correct"].mean()
    return means.to_numpy(dtype=np.float64)


def _drawn(curves: pd.DataFrame) -> tuple[Curve, ...]:
    return tuple(
        Curve(
            title=ARMS[str(arm)],
            sizes=tuple(part["size"].astype(int)),
            accuracy=tuple(part["accuracy"].astype(float)),
            low=tuple(part["ci_low"].astype(float)),
            high=tuple(part["ci_high"].astype(float)),
        )
        for arm, part in curves.groupby("arm", sort=False)
    )
