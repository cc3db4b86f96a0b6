"""Group table of faithfulness: gains over random orders, with intervals over participants."""

import numpy as np
import pandas as pd

from fmridecode.core.statistics import bootstrap_means

FAITHFULNESS = "desc-faithfulness_scores.tsv"
CURVES = "desc-faithfulness_curves.tsv"
REFERENCES = {"random": "gain_random", "smooth-random": "gain_smooth"}

FAITHFULNESS_SUMMARY_DICTIONARY = {
    "method": "Saliency method.",
    "order": "absolute: voxels by magnitude of saliency. signed: from positive to negative.",
    "replacement": "What voxels are replaced by: zero, or the map smoothed.",
    "curve": "deletion or insertion.",
    "reference": "What the map is compared with: a random order of voxels, or that of a random "
    "map with the saliency map's spectrum.",
    "gain": "Mean over participants of the participant's mean gain: the area between the curve "
    "of the map and of the reference, in calibrated probability of the true class, positive where "
    "the map is more faithful.",
    "ci_low": "Lower end of the 95 % percentile bootstrap interval, participants resampled.",
    "ci_high": "Upper end of that interval.",
    "n_maps": "Maps.",
    "n_participants": "Participants.",
}

SERIES = {
    "map": "probability",
    "random": "probability_random",
    "smooth-random": "probability_smooth",
}
CURVES_SUMMARY_DICTIONARY = {
    **{
        key: FAITHFULNESS_SUMMARY_DICTIONARY[key]
        for key in ("method", "order", "replacement", "curve")
    },
    "series": "map: voxels in the order of the saliency map. random: in a random order. "
    "smooth-random: in the order of a random map with the saliency map's spectrum.",
    "share": "Share of the voxels that are replaced (deletion) or put back (insertion).",
    "probability": "Calibrated probability of the true class, mean over participants.",
    "ci_low": FAITHFULNESS_SUMMARY_DICTIONARY["ci_low"],
    "ci_high": FAITHFULNESS_SUMMARY_DICTIONARY["ci_high"],
    "n_participants": "Participants.",
}


def curves_summary(curves: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the mean curves over participants, each with those of its references."""
    keys = ["method", "order", "replacement", "curve"]
    tables = []
    for key, group in curves.groupby(keys, sort=False):
        for series, column in SERIES.items():
            wide = group.pivot_table(index="participant_id", columns="share", values=column)
            mean, low, high = bootstrap_means(
                wide.to_numpy(), generator=np.random.default_rng(seed)
            )
            table = pd.DataFrame(
                {"share": wide.columns, "probability": mean, "ci_low": low, "ci_high": high}
            )
            for name, value in zip(keys, key, strict=True):
                table[name] = str(value)
            tables.append(table.assign(series=series, n_participants=len(wide)))
    return pd.concat(tables)[list(CURVES_SUMMARY_DICTIONARY)]


def faithfulness_summary(scores: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the mean gain of each method, order, replacement and curve over each reference."""
    keys = ["method", "order", "replacement", "curve"]
    rows = []
    for key, group in scores.groupby(keys, sort=False):
        for reference, column in REFERENCES.items():
            means = group.groupby("participant_id")[column].mean().to_numpy()
            mean, low, high = bootstrap_means(
                means[:, None], generator=np.random.default_rng(seed)
            )
            rows.append(
                {
                    **dict(zip(keys, key, strict=True)),
                    "reference": reference,
                    "gain": float(mean[0]),
                    "ci_low": float(low[0]),
                    "ci_high": float(high[0]),
                    "n_maps": len(group),
                    "n_participants": len(means),
                }
            )
    return pd.DataFrame(rows, columns=list(FAITHFULNESS_SUMMARY_DICTIONARY))
