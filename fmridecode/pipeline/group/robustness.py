"""Group table of robustness: accuracy against the strength of the attack."""

import numpy as np
import pandas as pd

from fmridecode.core.statistics import bootstrap

ROBUSTNESS = "desc-robustness_scores.tsv"
METRICS = {"accuracy": "correct", "probability": "probability"}

ROBUSTNESS_SUMMARY_DICTIONARY = {
    "metric": "accuracy: share of maps decoded correctly. probability: mean calibrated "
    "probability of the true class.",
    "epsilon": "Bound of the attack's noise in SD per voxel; 0: no attack.",
    "value": "Value over all maps.",
    "ci_low": "Lower end of the 95 % percentile bootstrap interval, participants resampled.",
    "ci_high": "Upper end of that interval.",
    "chance": "Accuracy of guessing, 1 / classes; n/a for the probability.",
    "steps": "Steps of projected gradient descent.",
    "epsilon_trained": "Bound of the noise that the decoders were trained with, mean over "
    "participants' decoders; n/a for none.",
    "n_maps": "Maps.",
    "n_participants": "Participants.",
}


def robustness_summary(rows: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return accuracy and probability of the true class at every strength."""
    n_classes = rows["label"].nunique()
    found = []
    for metric, column in METRICS.items():
        for epsilon, group in rows.groupby("epsilon", sort=True):
            by_participant = group.groupby("participant_id")[column]
            sums = by_participant.sum().to_numpy(dtype=np.float64)
            counts = by_participant.size().to_numpy()

            def of(
                drawn: np.ndarray, sums: np.ndarray = sums, counts: np.ndarray = counts
            ) -> float:
                return float(sums[drawn].sum() / counts[drawn].sum())

            estimate = bootstrap(len(sums), of, generator=np.random.default_rng(seed))
            found.append(
                {
                    "metric": metric,
                    "epsilon": epsilon,
                    "value": estimate.value,
                    "ci_low": estimate.low,
                    "ci_high": estimate.high,
                    "chance": 1 / n_classes if metric == "accuracy" else np.nan,
                    "steps": int(group["steps"].max()),
                    "epsilon_trained": group["epsilon_trained"].mean(),
                    "n_maps": len(group),
                    "n_participants": len(sums),
                }
            )
    return pd.DataFrame(found, columns=list(ROBUSTNESS_SUMMARY_DICTIONARY))
