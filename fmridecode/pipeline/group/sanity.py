"""Group table of sanity: how alike maps stay as decoders are randomised, over participants."""

import numpy as np
import pandas as pd

from fmridecode.core.randomisation import SURVIVES
from fmridecode.core.statistics import bootstrap_means

SANITY = "desc-sanity_scores.tsv"
SIMILARITIES = ("rank_correlation", "rank_correlation_absolute", "ssim")

SANITY_SUMMARY_DICTIONARY = {
    "method": "Saliency method.",
    "randomised": "weights: layers of the decoder have random weights, cascading from the last. "
    "labels: the decoder was trained on labels permuted within participants.",
    "depth": "How many layers have random weights, from the last; n/a for labels.",
    "n_layers": "How many layers there are; n/a for labels.",
    "layer": "Layer that was randomised last; n/a for labels.",
    "similarity": "rank_correlation: Spearman correlation with the decoder's own map, signed. "
    "rank_correlation_absolute: of the magnitudes. ssim: structural similarity.",
    "value": "Mean over participants of the participant's mean over maps and draws.",
    "ci_low": "Lower end of the 95 % percentile bootstrap interval, participants resampled.",
    "ci_high": "Upper end of that interval.",
    "magnitude": "The same mean of the magnitude of the similarity: a map that only changes its "
    "sign has survived too.",
    "survives": "Whether the method is marked as not depending on the model: all weights are "
    f"random, or the labels were, and the magnitude of a rank correlation is above {SURVIVES:g}. "
    "n/a at other depths and for ssim.",
    "n_maps": "Maps.",
    "n_draws": "Random weights of each map.",
    "n_participants": "Participants.",
}


def sanity_summary(rows: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the mean similarity of each method at each depth, and whether maps survive."""
    keys = ["method", "randomised", "depth", "n_layers", "layer"]
    found: list[dict[str, object]] = []
    for key, group in rows.groupby(keys, sort=False, dropna=False):
        named = dict(zip(keys, key, strict=True))
        last = named["randomised"] == "labels" or named["depth"] == named["n_layers"]
        maps = group.drop_duplicates(["participant_id", "session_id", "label"])
        for similarity in SIMILARITIES:
            known = group.dropna(subset=[similarity])
            of_participants = known.groupby("participant_id")[similarity]
            means = of_participants.mean().to_numpy()
            if not len(means):
                continue
            value, low, high = bootstrap_means(
                means[:, None], generator=np.random.default_rng(seed)
            )
            magnitude = float(of_participants.agg(lambda v: v.abs().mean()).mean())
            marked = last and similarity != "ssim"
            found.append(
                {
                    **named,
                    "similarity": similarity,
                    "value": float(value[0]),
                    "ci_low": float(low[0]),
                    "ci_high": float(high[0]),
                    "magnitude": magnitude,
                    "survives": magnitude > SURVIVES if marked else None,
                    "n_maps": len(maps),
                    "n_draws": int(group["draw"].nunique()),
                    "n_participants": len(means),
                }
            )
    table = pd.DataFrame(found, columns=list(SANITY_SUMMARY_DICTIONARY))
    return table.astype({"depth": "Int64", "n_layers": "Int64", "survives": "boolean"})
