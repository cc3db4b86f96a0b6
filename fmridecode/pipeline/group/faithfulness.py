"""Group table of faithfulness: gains over random orders, with intervals over participants."""

from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fmridecode.core.statistics import bootstrap

FAITHFULNESS = "desc-faithfulness_scores.tsv"
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


def faithfulness_summary(scores: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the mean gain of each method, order, replacement and curve over each reference."""
    keys = ["method", "order", "replacement", "curve"]
    rows = []
    for key, group in scores.groupby(keys, sort=False):
        for reference, column in REFERENCES.items():
            means = group.groupby("participant_id")[column].mean().to_numpy()
            estimate = bootstrap(
                len(means), partial(_mean, means), generator=np.random.default_rng(seed)
            )
            rows.append(
                {
                    **dict(zip(keys, key, strict=True)),
                    "reference": reference,
                    "gain": estimate.value,
                    "ci_low": estimate.low,
                    "ci_high": estimate.high,
                    "n_maps": len(group),
                    "n_participants": len(means),
                }
            )
    return pd.DataFrame(rows, columns=list(FAITHFULNESS_SUMMARY_DICTIONARY))


def _mean(values: NDArray[np.float64], drawn: NDArray[np.int64]) -> float:
    return float(values[drawn].mean())
