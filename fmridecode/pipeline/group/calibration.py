"""Tables of how far the decoder's probabilities can be believed."""

import numpy as np
import pandas as pd

from fmridecode.core.calibration import (
    N_BINS,
    bin_of,
    brier_scores,
    expected_calibration_error,
    likelihood,
    uncalibrated,
)
from fmridecode.pipeline.group.decoding_statistics import (
    Shares,
    class_names,
    indices,
    probabilities,
)

CALIBRATION_DICTIONARY = {
    "stage": "uncalibrated: softmax of the logits. calibrated: of the logits divided by the "
    "temperature that the validation participants of the fold gave.",
    "log_loss": "Mean negative log probability of the true class.",
    "brier_score": "Squared distance of the probabilities from the true class.",
    "ece": f"Expected calibration error of the predicted class in {N_BINS} bins.",
    "n_maps": "Maps.",
}
RELIABILITY_DICTIONARY = {
    "stage": CALIBRATION_DICTIONARY["stage"],
    "bin_low": "Lowest confidence of the bin; confidence is the highest probability.",
    "bin_high": "Highest confidence of the bin.",
    "n_maps": "Maps whose confidence lies in the bin; bins without any are left out.",
    "confidence": "Their mean confidence.",
    "accuracy": "Share of them that were decoded correctly.",
}


def _stages(predictions: pd.DataFrame) -> dict[str, Shares]:
    """Return the probabilities after calibration and, where the temperature is told, before."""
    names = class_names(predictions)
    p = probabilities(predictions, names)
    if "temperature" not in predictions or predictions["temperature"].isna().any():
        return {"calibrated": p}
    written = predictions[[f"prob_{name}" for name in names]].to_numpy(dtype=np.float64)
    before = uncalibrated(written, predictions["temperature"].to_numpy(dtype=np.float64))
    return {"uncalibrated": np.clip(before, np.finfo(p.dtype).eps, 1), "calibrated": p}


def calibration_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return what the temperature gains on participants that did not choose it."""
    truth = indices(predictions["true_label"], class_names(predictions))
    return pd.DataFrame(
        [
            {
                "stage": stage,
                "log_loss": -float(np.log(likelihood(p, truth)).mean()),
                "brier_score": float(brier_scores(p, truth).mean()),
                "ece": expected_calibration_error(p, truth),
                "n_maps": len(p),
            }
            for stage, p in _stages(predictions).items()
        ]
    )


def reliability_table(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy against confidence, in bins, before and after calibration."""
    truth = indices(predictions["true_label"], class_names(predictions))
    rows = []
    for stage, p in _stages(predictions).items():
        correct, bins = p.argmax(axis=1) == truth, bin_of(p)
        rows += [
            {
                "stage": stage,
                "bin_low": each / N_BINS,
                "bin_high": (each + 1) / N_BINS,
                "n_maps": int((bins == each).sum()),
                "confidence": float(p[bins == each].max(axis=1).mean()),
                "accuracy": float(correct[bins == each].mean()),
            }
            for each in np.unique(bins)
        ]
    return pd.DataFrame(rows)
