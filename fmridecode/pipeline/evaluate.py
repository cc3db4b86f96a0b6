"""Group tables from the participants' predictions and scores; no decoder is needed."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import confusion_matrix

from fmridecode.bids.derivatives import read_table, write_table
from fmridecode.core.statistics import bootstrap, paired_tests
from fmridecode.errors import BadDataError, NothingMatchedError

PREDICTIONS = "desc-decoding_predictions.tsv"
SCORES = "desc-interpretability_scores.tsv"

METRICS_DICTIONARY = {
    "metric": "accuracy; balanced_accuracy, the mean recall over classes; task_accuracy, whether "
    "the task of the predicted class is right; log_loss, the mean negative log probability of "
    "the true class.",
    "estimate": "Value over all maps.",
    "ci_low": "Lower end of the 95 % percentile bootstrap interval, participants resampled.",
    "ci_high": "Upper end of that interval.",
    "n_participants": "Participants.",
    "n_maps": "Maps.",
    "chance": "Value of a decoder that guesses evenly.",
}
SUMMARY_DICTIONARY = {
    "method": "Saliency method.",
    "criterion": "CIA or CAD.",
    "mean": "Mean over participants of the participant's mean correlation.",
    "standard_error": "Standard error over participants.",
    "ci_low": "Lower end of the 95 % percentile bootstrap interval, participants resampled.",
    "ci_high": "Upper end of that interval.",
    "n_maps": "Maps scored.",
    "n_participants": "Participants scored.",
}
TESTS_DICTIONARY = {
    "criterion": "CIA or CAD.",
    "unit": "What the test is over: participant (each one's mean; the headline) or example.",
    "method_a": "First method.",
    "method_b": "Second method.",
    "difference": "Mean of a minus b.",
    "t": "Two-sided paired t statistic.",
    "df": "Degrees of freedom.",
    "p": "Uncorrected p value.",
    "p_bonferroni": "p times the number of pairs, at most 1.",
}
PARTICIPANTS_DICTIONARY = {
    "participant_id": "Participant.",
    "n_maps": "Maps decoded.",
    "accuracy": "Share of the participant's maps that were decoded correctly.",
}


def collect(output_dir: Path, ending: str) -> pd.DataFrame:
    """Return the participants' tables of one kind, put together.

    Raises
    ------
    NothingMatchedError
        When no participant has one.
    """
    paths = sorted(output_dir.glob(f"sub-*/**/*_{ending}"))
    if not paths:
        raise NothingMatchedError(
            f"{output_dir} has no sub-*/**/*_{ending}: run the participant level first."
        )
    tables = [read_table(path) for path in paths]
    for path, table in zip(paths, tables, strict=True):
        if list(table.columns) != list(tables[0].columns):
            raise BadDataError(
                f"{path} has other columns than {paths[0]}: they were made of other classes. Run "
                "the participant level again for everyone, or use one OUTPUT_DIR for each."
            )
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


def unseen(predictions: pd.DataFrame, scores: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Leave out all that a decoder made of maps it was trained on."""
    seen = predictions["seen_in_training"].astype(bool)
    strangers = set(predictions.loc[~seen, "participant_id"])
    if not strangers:
        raise BadDataError(
            "Every map was decoded by a decoder that was trained on it; nothing can be evaluated."
        )
    return predictions[~seen], scores[scores["participant_id"].isin(strangers)]


def class_names(predictions: pd.DataFrame) -> list[str]:
    """Return the classes, in the order of the probability columns."""
    return [c.removeprefix("prob_") for c in predictions.columns if c.startswith("prob_")]


Statistic = Callable[[NDArray[np.int64]], float]
"""Value of a metric over the participants drawn, by their indices."""


def _metrics(predictions: pd.DataFrame, names: list[str]) -> dict[str, tuple[Statistic, float]]:
    """Return each metric with its value at chance."""
    p = predictions[[f"prob_{name}" for name in names]].to_numpy(dtype=np.float64)
    p = np.clip(p / p.sum(axis=1, keepdims=True), np.finfo(p.dtype).eps, 1)
    truth = [names.index(label) for label in predictions["true_label"]]
    correct = predictions["true_label"] == predictions["predicted_label"]
    metrics = {
        "accuracy": (_share(predictions, correct), 1 / len(names)),
        "balanced_accuracy": (_balanced(predictions, names), 1 / len(names)),
        "log_loss": (
            _share(predictions, -np.log(p[np.arange(len(p)), truth])),
            float(np.log(len(names))),
        ),
    }
    tasks = predictions.get("true_task")
    if tasks is not None and 1 < tasks.nunique() < len(names):
        pairs = predictions[["true_label", "true_task"]].drop_duplicates()["true_task"]
        metrics["task_accuracy"] = (
            _share(predictions, tasks == predictions["predicted_task"]),
            float((pairs.value_counts(normalize=True) ** 2).sum()),
        )
    return metrics


def _share(predictions: pd.DataFrame, values: ArrayLike) -> Statistic:
    """Return the mean over maps, from each participant's sum and number."""
    column = pd.Series(np.asarray(values, dtype=np.float64), index=predictions.index)
    groups = column.groupby(predictions["participant_id"])
    sums, counts = groups.sum().to_numpy(), groups.count().to_numpy()
    return lambda drawn: float(sums[drawn].sum() / counts[drawn].sum())


def _balanced(predictions: pd.DataFrame, names: list[str]) -> Statistic:
    """Return the mean recall over the classes that are there, from each one's confusions."""
    counts = np.stack(
        [
            confusion_matrix(rows["true_label"], rows["predicted_label"], labels=names)
            for _, rows in predictions.groupby("participant_id")
        ]
    )

    def of_drawn(drawn: NDArray[np.int64]) -> float:
        total = counts[drawn].sum(axis=0).astype(float)
        present = total.sum(axis=1) > 0
        return float((np.diag(total)[present] / total.sum(axis=1)[present]).mean())

    return of_drawn


def metrics_table(predictions: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the decoding metrics, each with its bootstrap interval over participants."""
    n_participants = predictions["participant_id"].nunique()
    rows = []
    for metric, (statistic, chance) in _metrics(predictions, class_names(predictions)).items():
        generator = np.random.default_rng(seed)
        estimate = bootstrap(n_participants, statistic, generator=generator)
        rows.append(
            {
                "metric": metric,
                "estimate": estimate.value,
                "ci_low": estimate.low,
                "ci_high": estimate.high,
                "n_participants": n_participants,
                "n_maps": len(predictions),
                "chance": chance,
            }
        )
    return pd.DataFrame(rows)


def confusion_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of every predicted class, a row for every true class."""
    names = class_names(predictions)
    counts = confusion_matrix(
        predictions["true_label"], predictions["predicted_label"], labels=names
    )
    return pd.DataFrame(counts, columns=names).assign(true_label=names)[["true_label", *names]]


def per_example(scores: pd.DataFrame) -> pd.DataFrame:
    """Average the CAD of an example over its targets: one row per example and method."""
    keys = ["participant_id", "session_id", "label", "method", "criterion"]
    scores = scores.fillna({"session_id": ""})
    return scores.groupby(keys, dropna=False, sort=False)["pearson_r"].mean().reset_index()


def interpretability_summary(scores: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return mean, standard error and interval of each criterion for each method."""
    examples = per_example(scores)
    rows = []
    for (method, criterion), group in examples.groupby(["method", "criterion"], sort=False):
        means = group.groupby("participant_id")["pearson_r"].mean().dropna().to_numpy()
        estimate = bootstrap(len(means), _mean_of(means), generator=np.random.default_rng(seed))
        spread = means.std(ddof=1) / np.sqrt(len(means)) if len(means) > 1 else np.nan
        rows.append(
            {
                "method": method,
                "criterion": criterion,
                "mean": estimate.value,
                "standard_error": spread,
                "ci_low": estimate.low,
                "ci_high": estimate.high,
                "n_maps": int(group["pearson_r"].notna().sum()),
                "n_participants": len(means),
            }
        )
    return pd.DataFrame(rows)


def _mean_of(values: NDArray[np.float64]) -> Callable[[NDArray[np.int64]], float]:
    return lambda drawn: float(values[drawn].mean())


def interpretability_tests(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the paired tests between methods, over participants and over examples."""
    examples = per_example(scores)
    units = {
        "participant": ["participant_id"],
        "example": ["participant_id", "session_id", "label"],
    }
    rows = []
    for criterion, group in examples.groupby("criterion", sort=False):
        for unit, keys in units.items():
            wide = group.pivot_table("pearson_r", keys, "method", dropna=False, sort=False)
            found = paired_tests({str(m): wide[m].to_numpy() for m in wide})
            rows += [{"criterion": criterion, "unit": unit, **asdict(test)} for test in found]
    return pd.DataFrame(rows, columns=list(TESTS_DICTIONARY))


def participants_summary(predictions: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row per participant: maps, accuracy, and mean CIA and CAD of every method."""
    groups = predictions.groupby("participant_id")
    table = pd.DataFrame({"n_maps": groups.size(), "accuracy": groups["correct"].mean()})
    for (criterion, method), group in per_example(scores).groupby(
        ["criterion", "method"], sort=False
    ):
        table[f"{criterion}_{method}"] = group.groupby("participant_id")["pearson_r"].mean()
    return table.reset_index()


def write_group_tables(output_dir: Path, *, seed: int) -> pd.DataFrame:
    """Evaluate all participants of OUTPUT_DIR, write the tables, and return the metrics."""
    predictions, scores = unseen(collect(output_dir, PREDICTIONS), collect(output_dir, SCORES))
    metrics = metrics_table(predictions, seed=seed)
    summary = participants_summary(predictions, scores)
    per_method = {
        column: f"Mean {column.partition('_')[0]} of the participant's maps by this method."
        for column in summary.columns
        if column.startswith(("CIA_", "CAD_"))
    }
    names = class_names(predictions)
    counts = {name: f"Maps decoded as {name}." for name in names}
    tables = {
        "decoding_metrics": (metrics, METRICS_DICTIONARY),
        "confusion_counts": (
            confusion_table(predictions),
            {"true_label": "True class.", **counts},
        ),
        "interpretability_summary": (
            interpretability_summary(scores, seed=seed),
            SUMMARY_DICTIONARY,
        ),
        "interpretability_tests": (interpretability_tests(scores), TESTS_DICTIONARY),
        "participants_summary": (summary, {**PARTICIPANTS_DICTIONARY, **per_method}),
    }
    for name, (table, dictionary) in tables.items():
        write_table(output_dir / f"group_desc-{name}.tsv", table, dictionary)
    return metrics
