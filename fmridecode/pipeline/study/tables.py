"""The tables of a study, from every row's predictions and scores."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from fmridecode.core.statistics import Estimate, PairedTest, bootstrap, paired_tests
from fmridecode.pipeline.study.rows import ROWS, decoders

CRITERIA = ("CIA", "CAD")
OWN, KNOWN = "own", "known"
"""The activation that saliency is compared with: the participant's maps, or what made them."""

STUDY_DICTIONARY = {
    "row": "Name of the row.",
    "decoder": "Architecture and training scheme.",
    "method": "Saliency method.",
    "accuracy": "Share of test maps decoded correctly.",
    "accuracy_low": "Lower end of the 95 % bootstrap interval, participants resampled.",
    "accuracy_high": "Upper end of that interval.",
    "task_accuracy": "Share whose task was decoded correctly, where tasks have several classes.",
    "task_accuracy_low": "Lower end of the 95 % bootstrap interval.",
    "task_accuracy_high": "Upper end of that interval.",
    **{
        f"{criterion}_{reference}{suffix}": f"{criterion} against {what}: {measure}."
        for reference, what in ((OWN, "the participant's own maps"), (KNOWN, "the known truth"))
        for criterion in CRITERIA
        for suffix, measure in (
            ("", "mean over participants of each one's mean correlation"),
            ("_se", "standard error over participants"),
        )
    },
    "CIA_published": "CIA of this row on HCP data, in the authors' later figure.",
    "CAD_published": "CAD of this row in that figure.",
    "n_participants": "Test participants.",
    "n_maps": "Test maps.",
}
_TEST = {
    "difference": "Mean over participants of a minus b.",
    "t": "Two-sided paired t statistic.",
    "df": "Degrees of freedom.",
    "p": "Uncorrected p value.",
    "p_bonferroni": "p times the number of pairs, at most 1.",
}
ACCURACY_TESTS_DICTIONARY = {
    "measure": "accuracy, or task_accuracy.",
    "decoder_a": "First decoder.",
    "decoder_b": "Second decoder.",
    **_TEST,
}
INTERPRETABILITY_TESTS_DICTIONARY = {
    "reference": "own: the participant's own maps; known: the activation that made them.",
    "criterion": "CIA or CAD.",
    "row_a": "First row.",
    "row_b": "Second row.",
    **_TEST,
}
STAND_IN_DICTIONARY = {
    "criterion": "CIA or CAD.",
    "spearman": "Rank correlation over rows of the scores against own maps and known truth.",
    "best_own": "Best row against the participants' own maps.",
    "best_known": "Best row against the known truth.",
}


def accuracies(predictions: pd.DataFrame) -> dict[str, str]:
    """Return the columns of correct answers that there are, by the name of the measure."""
    tasks = predictions["true_task"]
    several = 1 < tasks.nunique() < predictions["true_label"].nunique()
    return {"accuracy": "correct"} | ({"task_accuracy": "task_correct"} if several else {})


def with_tasks(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return predictions with a column that says whether the task is right."""
    right = predictions["true_task"] == predictions["predicted_task"]
    return predictions.assign(task_correct=right)


def study_table(predictions: pd.DataFrame, scores: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return one line for every row: accuracy, CIA and CAD here, and as published."""
    predictions = with_tasks(predictions)
    of_decoder = {
        name: _accuracy_cells(rows, accuracies(predictions), seed)
        for name, rows in predictions.groupby("decoder", sort=False)
    }
    lines = []
    for row in ROWS:
        line: dict[str, object] = {"row": row.name, "decoder": row.decoder, "method": row.method}
        line |= of_decoder[row.decoder]
        for reference, criterion in _comparisons(scores):
            means = participant_means(scores, reference, criterion)[row.name].dropna()
            line[f"{criterion}_{reference}"] = means.mean()
            line[f"{criterion}_{reference}_se"] = means.sem()
        line |= dict(zip(("CIA_published", "CAD_published"), row.published, strict=True))
        chosen = predictions[predictions["decoder"] == row.decoder]
        line["n_participants"] = chosen["participant_id"].nunique()
        line["n_maps"] = len(chosen)
        lines.append(line)
    return pd.DataFrame(lines)


def _accuracy_cells(rows: pd.DataFrame, measures: dict[str, str], seed: int) -> dict[str, object]:
    cells: dict[str, object] = {}
    for name, column in measures.items():
        found = accuracy_over_participants(rows, column, seed)
        cells |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    return cells


def accuracy_over_participants(rows: pd.DataFrame, column: str, seed: int) -> Estimate:
    """Return the share of right answers, its interval from resampled participants."""
    by_participant = rows.groupby("participant_id")[column]
    right = by_participant.sum().to_numpy(dtype=np.float64)
    n = by_participant.size().to_numpy(dtype=np.float64)

    def share(drawn: NDArray[np.int64]) -> float:
        return float(right[drawn].sum() / n[drawn].sum())

    return bootstrap(len(n), share, generator=np.random.default_rng(seed))


def _comparisons(scores: pd.DataFrame) -> Iterator[tuple[str, str]]:
    for reference in (OWN, KNOWN):
        if (scores["reference"] == reference).any():
            yield from ((reference, criterion) for criterion in CRITERIA)


def participant_means(scores: pd.DataFrame, reference: str, criterion: str) -> pd.DataFrame:
    """Return each participant's mean correlation, a column for every row of the study.

    The CAD of a map is first averaged over the other classes.
    """
    chosen = scores[(scores["reference"] == reference) & (scores["criterion"] == criterion)]
    keys = ["row", "participant_id", "session_id", "label"]
    of_map = chosen.groupby(keys, dropna=False, sort=False)["pearson_r"].mean().reset_index()
    means = of_map.pivot_table(index="participant_id", columns="row", values="pearson_r")
    return means.reindex(columns=[row.name for row in ROWS])


def interpretability_tests(scores: pd.DataFrame) -> pd.DataFrame:
    """Test every pair of rows over participants, for each criterion and reference."""
    lines = []
    for reference, criterion in _comparisons(scores):
        means = participant_means(scores, reference, criterion)
        columns = {row.name: means[row.name].to_numpy(dtype=np.float64) for row in ROWS}
        lines += [
            {
                "reference": reference,
                "criterion": criterion,
                "row_a": test.method_a,
                "row_b": test.method_b,
                **_cells(test),
            }
            for test in paired_tests(columns)
        ]
    return pd.DataFrame(lines)


def accuracy_tests(predictions: pd.DataFrame) -> pd.DataFrame:
    """Test every pair of decoders over participants."""
    predictions = with_tasks(predictions)
    lines = []
    for measure, column in accuracies(predictions).items():
        right = predictions.assign(right=predictions[column].astype(float))
        means = right.pivot_table(index="participant_id", columns="decoder", values="right")
        columns = {name: means[name].to_numpy(dtype=np.float64) for name in decoders()}
        lines += [
            {
                "measure": measure,
                "decoder_a": test.method_a,
                "decoder_b": test.method_b,
                **_cells(test),
            }
            for test in paired_tests(columns)
        ]
    return pd.DataFrame(lines)


def _cells(test: PairedTest) -> dict[str, object]:
    return {name: getattr(test, name) for name in _TEST}


def stand_in(table: pd.DataFrame) -> pd.DataFrame:
    """Say whether agreement with own maps ranks the rows as agreement with the truth does."""
    lines = []
    for criterion in CRITERIA:
        own, known = table[f"{criterion}_{OWN}"], table[f"{criterion}_{KNOWN}"]
        lines.append(
            {
                "criterion": criterion,
                "spearman": float(stats.spearmanr(own, known).statistic),
                "best_own": table["row"][int(own.to_numpy().argmax())],
                "best_known": table["row"][int(known.to_numpy().argmax())],
            }
        )
    return pd.DataFrame(lines)
