"""Group tables of reliability: the participants' own, and between participants."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fmridecode.bids.derivatives import write_table
from fmridecode.config import RunConfig
from fmridecode.core.reliability import correlations_with_others, split_half
from fmridecode.core.statistics import bootstrap_means
from fmridecode.pipeline.group.stack import Stack, find_members, read_stack

RELIABILITY = "desc-reliability_scores.tsv"
MAPS = "reliability_maps"
SPLITS = {"quick": 200, "full": 1000}
"""Random halves of the participants, by reach."""
FEWEST = 4

RELIABILITY_SUMMARY_DICTIONARY = {
    "method": "Saliency method.",
    "measure": "As in sub-*_desc-reliability_scores.tsv: members, folds, sessions (Pearson "
    "correlations) or sensitivity (relative change).",
    "value": "Mean over participants of the participant's mean over maps.",
    "ci_low": "Lower end of the 95 % percentile bootstrap interval, participants resampled.",
    "ci_high": "Upper end of that interval.",
    "seen_in_training": "Whether decoders take part that have seen the participant in training "
    "or validation: true for folds.",
    "n_maps": "Maps, or pairs of sessions of a class.",
    "n_participants": "Participants.",
}
RELIABILITY_MAPS_DICTIONARY = {
    "map": "Mean map of the group.",
    "label": "True class of the maps that are explained.",
    "method": "Saliency method.",
    "measure": "participants: correlation of each participant's map with the mean of all others'. "
    "other-decoders: with the mean of those by other decoders only, which is the fairer one, for "
    "participants of one decoder share its maps. split-half: correlation of the mean maps of two "
    "random halves of the participants. spearman-brown: that, stepped up to all participants, "
    "2r / (1 + r).",
    "value": "Mean over participants, or over random halves.",
    "ci_low": "Lower end of the 95 % percentile bootstrap interval, participants resampled; for "
    "spearman-brown 2.5 % of the random halves lie below; n/a for split-half.",
    "ci_high": "Upper end of that interval.",
    "n_participants": "Participants, each counted once; sessions are averaged.",
    "n_decoders": "Decoders that made the maps.",
    "n_splits": "Random halves.",
}


def reliability_summary(rows: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return the mean of each method and measure over participants."""
    found = []
    for (method, measure), group in rows.groupby(["method", "measure"], sort=False):
        known = group.dropna(subset=["value"])
        means = known.groupby("participant_id")["value"].mean().to_numpy()
        if not len(means):
            continue
        value, low, high = bootstrap_means(means[:, None], generator=np.random.default_rng(seed))
        found.append(
            {
                "method": method,
                "measure": measure,
                "value": float(value[0]),
                "ci_low": float(low[0]),
                "ci_high": float(high[0]),
                "seen_in_training": bool(group["seen_in_training"].any()),
                "n_maps": len(known),
                "n_participants": len(means),
            }
        )
    return pd.DataFrame(found, columns=list(RELIABILITY_SUMMARY_DICTIONARY))


def write_map_reliability(output_dir: Path, config: RunConfig) -> None:
    """Compare the participants' saliency maps with each other; remove an earlier table if off."""
    path = output_dir / f"group_desc-{MAPS}.tsv"
    rows: list[dict[str, object]] = []
    reach = config.evaluation.reliability
    if reach != "off":
        for name, members in find_members(output_dir).items():
            if len(members) < FEWEST:
                continue
            stack = read_stack(name, members)
            if stack.is_of_interest:
                seed = config.execution.random_seed
                rows += between_participants(stack, splits=SPLITS[reach], seed=seed)
    if rows:
        table = pd.DataFrame(rows, columns=list(RELIABILITY_MAPS_DICTIONARY))
        write_table(path, table.astype({"n_splits": "Int64"}), RELIABILITY_MAPS_DICTIONARY)
        return
    for stale in (path, path.with_suffix(".json")):
        stale.unlink(missing_ok=True)


def between_participants(stack: Stack, *, splits: int, seed: int) -> Iterator[dict[str, object]]:
    """Yield the rows of one class and method."""
    values = stack.values[:, stack.covered]
    decoders = np.array(stack.decoders)
    named = {
        "map": stack.name,
        "label": stack.label or stack.target,
        "method": stack.method,
        "n_participants": len(values),
        "n_decoders": len(set(stack.decoders)),
    }
    everyone = ~np.eye(len(values), dtype=bool)
    for measure, others in (
        ("participants", everyone),
        ("other-decoders", decoders[:, None] != decoders),
    ):
        r = correlations_with_others(values, others)
        if np.isfinite(r).any():
            yield {**named, "measure": measure, **_interval(r[np.isfinite(r)], seed)}
    halves = split_half(values, splits=splits, generator=np.random.default_rng(seed))
    yield {
        **named, "measure": "split-half", "value": halves.correlation, "n_splits": splits
    }  # fmt: skip
    yield {
        **named,
        "measure": "spearman-brown",
        "value": halves.reliability,
        "ci_low": halves.low,
        "ci_high": halves.high,
        "n_splits": splits,
    }


def _interval(values: NDArray[np.float64], seed: int) -> dict[str, float]:
    value, low, high = bootstrap_means(values[:, None], generator=np.random.default_rng(seed))
    return {"value": float(value[0]), "ci_low": float(low[0]), "ci_high": float(high[0])}
