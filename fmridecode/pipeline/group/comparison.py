"""Table of the decoder against the linear one on the same folds, paired over participants."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fmridecode.core.permutation import sign_flip_p
from fmridecode.core.statistics import bootstrap, paired_tests
from fmridecode.errors import BadDataError
from fmridecode.pipeline.group.decoding import INTERVAL, decoding_statistics
from fmridecode.pipeline.group.decoding_statistics import Statistic, class_names

BASELINE = "desc-baseline_predictions.tsv"
COMPARED = ("accuracy", "balanced_accuracy", "log_loss", "brier_score")
COMPARISON_DICTIONARY = {
    "metric": "accuracy; balanced_accuracy, the mean recall over classes; log_loss, the mean "
    "negative log probability of the true class; brier_score, the squared distance of the "
    "probabilities from the true class, summed over classes.",
    "decoder": "Value of the decoder over all maps.",
    "baseline": "Value of the linear decoder, trained without perturbations on the same folds.",
    "baseline_low": f"Lower end of it {INTERVAL}",
    "baseline_high": "Upper end of that interval.",
    "difference": "Decoder minus baseline; of losses, less is better.",
    "ci_low": f"Lower end {INTERVAL}",
    "ci_high": "Upper end of that interval, of the difference.",
    "t": "Two-sided paired t statistic over participants' own values.",
    "df": "Degrees of freedom.",
    "p": "p value of t.",
    "p_sign_flip": "Two-sided p value of the mean difference over participants when the sign of "
    "each one's difference is exchangeable; all signs, or 5000 draws of them.",
    "n_participants": "Participants.",
    "n_maps": "Maps.",
}
_KEYS = ["participant_id", "session_id", "true_label", "source"]


def comparison_table(
    predictions: pd.DataFrame, baseline: pd.DataFrame, *, seed: int
) -> pd.DataFrame:
    """Return a row for each metric: both decoders, their difference, and its tests.

    Parameters
    ----------
    predictions, baseline
        What the two decoders, neither of which has seen the maps, say of them.

    Raises
    ------
    BadDataError
        When they are not about the same maps.
    """
    predictions, baseline = (
        each.sort_values(_KEYS, kind="stable").reset_index(drop=True)
        for each in (predictions, baseline)
    )
    if not predictions[_KEYS].equals(baseline[_KEYS]) or (
        class_names(predictions) != class_names(baseline)
    ):
        raise BadDataError(
            f"The sub-*/**/*_{BASELINE} are not about the maps that the decoder's predictions are "
            "about: run the participant level again for everyone, or with --baseline off."
        )
    ours, theirs = (decoding_statistics(each) for each in (predictions, baseline))
    n = predictions["participant_id"].nunique()
    rows = [
        {"metric": name, **_compared(ours[name], theirs[name], n, seed=seed)} for name in COMPARED
    ]
    return pd.DataFrame(rows).assign(n_participants=n, n_maps=len(predictions))


def _compared(ours: Statistic, theirs: Statistic, n: int, *, seed: int) -> dict[str, object]:
    def difference(drawn: NDArray[np.int64]) -> float:
        return ours(drawn) - theirs(drawn)

    alone = bootstrap(n, theirs, generator=np.random.default_rng(seed))
    both = bootstrap(n, difference, generator=np.random.default_rng(seed))
    mine, other = (
        np.array([value(np.array([each])) for each in range(n)]) for value in (ours, theirs)
    )
    (test,) = paired_tests({"decoder": mine, "baseline": other})
    return {
        "decoder": ours(np.arange(n)),
        "baseline": alone.value,
        "baseline_low": alone.low,
        "baseline_high": alone.high,
        "difference": both.value,
        "ci_low": both.low,
        "ci_high": both.high,
        "t": test.t,
        "df": test.df,
        "p": test.p,
        "p_sign_flip": sign_flip_p(mine - other, generator=np.random.default_rng(seed)),
    }
