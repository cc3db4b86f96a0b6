"""Tables of how well the classes were decoded, from the participants' predictions."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from fmridecode.core.calibration import (
    N_BINS,
    brier_scores,
    likelihood,
)
from fmridecode.core.permutation import permutation_test
from fmridecode.core.statistics import Estimate, bootstrap
from fmridecode.pipeline.group.calibration import (
    CALIBRATION_DICTIONARY,
    RELIABILITY_DICTIONARY,
    calibration_table,
    reliability_table,
)
from fmridecode.pipeline.group.decoding_statistics import (
    Shares,
    Statistic,
    calibration_error,
    class_auc,
    class_names,
    confusions,
    indices,
    mean_auc,
    mean_recall,
    of_confusions,
    probabilities,
    share,
)

INTERVAL = "of the 95 % percentile bootstrap interval, participants resampled."
METRICS_DICTIONARY = {
    "metric": "accuracy; balanced_accuracy, the mean recall over classes; task_accuracy, whether "
    "the task of the predicted class is right; log_loss, the mean negative log probability of "
    "the true class; brier_score, the squared distance of the probabilities from the true class, "
    "summed over classes (0 to 2); ece, the expected calibration error of the predicted class in "
    f"{N_BINS} bins, which is above 0 by chance where maps are few; roc_auc, the mean over "
    "classes of the area under the ROC curve of one class against the rest.",
    "estimate": "Value over all maps.",
    "ci_low": f"Lower end {INTERVAL}",
    "ci_high": "Upper end of that interval.",
    "n_participants": "Participants.",
    "n_maps": "Maps.",
    "chance": "Value of a decoder that guesses evenly; n/a where that means nothing.",
}
CLASSES_DICTIONARY = {
    "label": "Class.",
    "n_maps": "Maps of the class.",
    "n_predicted": "Maps that were decoded as the class.",
    **{
        key: text
        for name, said in {
            "precision": "Share of the maps decoded as the class that are of it",
            "recall": "Share of the maps of the class that were decoded as it",
            "f1": "Harmonic mean of precision and recall",
            "roc_auc": "Area under the ROC curve of the class's probability against the rest",
        }.items()
        for key, text in {
            name: f"{said}; n/a where there are none.",
            f"{name}_low": f"Lower end {INTERVAL}",
            f"{name}_high": "Upper end of that interval.",
        }.items()
    },
}
PERMUTATION_DICTIONARY = {
    "metric": "accuracy, or balanced_accuracy.",
    "decoder": "decoder: the decoder itself. baseline: the linear one on the same folds.",
    "refitted": "false: the decoder's outputs are scored against the permuted labels as they are. "
    "true: the decoder is trained anew on the permuted labels of every fold.",
    "observed": "Value with the true labels.",
    "null_mean": "Mean over permutations.",
    "null_high": "95th percentile over permutations.",
    "p": "One-sided p value, (1 + permutations at least as good) / (1 + permutations).",
    "n_permutations": "Permutations: labels exchanged within each participant.",
}

Tables = dict[str, tuple[pd.DataFrame, Mapping[str, str]]]
"""Name of a table to the table and its dictionary."""


def decoding_tables(predictions: pd.DataFrame, *, seed: int) -> Tables:
    """Return all tables of decoding by name."""
    names = class_names(predictions)
    counts = {name: f"Maps decoded as {name}." for name in names}
    return {
        "decoding_metrics": (metrics_table(predictions, seed=seed), METRICS_DICTIONARY),
        "decoding_classes": (classes_table(predictions, seed=seed), CLASSES_DICTIONARY),
        "decoding_permutation": (
            permutation_table(predictions, seed=seed),
            PERMUTATION_DICTIONARY,
        ),
        "decoding_calibration": (calibration_table(predictions), CALIBRATION_DICTIONARY),
        "decoding_reliability": (reliability_table(predictions), RELIABILITY_DICTIONARY),
        "confusion_counts": (
            confusion_table(predictions),
            {"true_label": "True class.", **counts},
        ),
    }


def metrics_table(predictions: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the decoding metrics, each with its bootstrap interval over participants."""
    n_participants = predictions["participant_id"].nunique()
    rows = []
    for metric, (statistic, chance) in _metrics(predictions, class_names(predictions)).items():
        estimate = _bootstrap(predictions, statistic, seed)
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


def decoding_statistics(predictions: pd.DataFrame) -> dict[str, Statistic]:
    """Return each metric as a function of the participants drawn, in the order of their ids."""
    found = _metrics(predictions, class_names(predictions))
    return {name: statistic for name, (statistic, _) in found.items()}


def _bootstrap(predictions: pd.DataFrame, statistic: Statistic, seed: int) -> Estimate:
    n_participants = predictions["participant_id"].nunique()
    return bootstrap(n_participants, statistic, generator=np.random.default_rng(seed))


def _metrics(predictions: pd.DataFrame, names: list[str]) -> dict[str, tuple[Statistic, float]]:
    """Return each metric with its value at chance."""
    p, truth = probabilities(predictions, names), indices(predictions["true_label"], names)
    correct = predictions["true_label"] == predictions["predicted_label"]
    recall = of_confusions(confusions(predictions, names), mean_recall)
    even = 1 / len(names)
    log_losses, brier = -np.log(likelihood(p, truth)), brier_scores(p, truth)
    metrics: dict[str, tuple[Statistic, float]] = {
        "accuracy": (share(predictions, correct), even),
        "balanced_accuracy": (recall, even),
        "log_loss": (share(predictions, log_losses), -float(np.log(even))),
        "brier_score": (share(predictions, brier), 1 - even),
        "ece": (calibration_error(predictions, p, truth), np.nan),
    }
    if (area := mean_auc(predictions, p, truth)) is not None:
        metrics["roc_auc"] = (area, 0.5)
    tasks = predictions.get("true_task")
    if tasks is not None and 1 < tasks.nunique() < len(names):
        pairs = predictions[["true_label", "true_task"]].drop_duplicates()["true_task"]
        metrics["task_accuracy"] = (
            share(predictions, tasks == predictions["predicted_task"]),
            float((pairs.value_counts(normalize=True) ** 2).sum()),
        )
    return metrics


def confusion_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of every predicted class, a row for every true class."""
    names = class_names(predictions)
    counts = confusion_matrix(
        predictions["true_label"], predictions["predicted_label"], labels=names
    )
    return pd.DataFrame(counts, columns=names).assign(true_label=names)[["true_label", *names]]


def classes_table(predictions: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return precision, recall, F1 and the area under the ROC curve of every class."""
    names = class_names(predictions)
    p, truth = probabilities(predictions, names), indices(predictions["true_label"], names)
    counts = confusions(predictions, names)
    total = counts.sum(axis=0)
    rows = []
    for k, name in enumerate(names):
        row: dict[str, object] = {
            "label": name,
            "n_maps": int(total[k].sum()),
            "n_predicted": int(total[:, k].sum()),
        }
        statistics: dict[str, Statistic | None] = {
            "precision": of_confusions(counts, partial(_precision, k)),
            "recall": of_confusions(counts, partial(_recall, k)),
            "f1": of_confusions(counts, partial(_f1, k)),
            "roc_auc": class_auc(predictions, p[:, k], truth == k),
        }
        for metric, statistic in statistics.items():
            found = _class_estimate(predictions, statistic, seed)
            row |= {metric: found.value, f"{metric}_low": found.low, f"{metric}_high": found.high}
        rows.append(row)
    return pd.DataFrame(rows)


def _class_estimate(predictions: pd.DataFrame, statistic: Statistic | None, seed: int) -> Estimate:
    everyone = np.arange(predictions["participant_id"].nunique())
    if statistic is None or not np.isfinite(statistic(everyone)):
        return Estimate(value=np.nan, low=np.nan, high=np.nan)
    return _bootstrap(predictions, statistic, seed)


def _precision(k: int, counts: Shares) -> float:
    return _ratio(counts[k, k], counts[:, k].sum())


def _recall(k: int, counts: Shares) -> float:
    return _ratio(counts[k, k], counts[k].sum())


def _f1(k: int, counts: Shares) -> float:
    return _ratio(2 * counts[k, k], counts[k].sum() + counts[:, k].sum())


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else np.nan


def permutation_table(predictions: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the permutation tests of accuracy and balanced accuracy."""
    names = class_names(predictions)
    labels, predicted = (
        indices(predictions[column], names) for column in ("true_label", "predicted_label")
    )
    units = pd.factorize(predictions["participant_id"])[0]
    rows = []
    for metric in ("accuracy", "balanced_accuracy"):
        test = permutation_test(
            labels,
            predicted,
            units,
            balanced=metric == "balanced_accuracy",
            generator=np.random.default_rng(seed),
        )
        rows.append({"metric": metric, "decoder": "decoder", "refitted": False, **asdict(test)})
    return pd.DataFrame(rows)
