"""What the shipped decoder is worth, on simulated maps of fresh laboratories and a real one."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

from fmridecode.bids.standardise import Source, standardise
from fmridecode.bids.templates import Template
from fmridecode.core.abstention import best, confidence, knows
from fmridecode.core.batches import Batches
from fmridecode.core.maps import MapSet
from fmridecode.core.origin import Score
from fmridecode.core.statistics import bootstrap
from fmridecode.core.trained import TrainedDecoder, predict_logits
from fmridecode.pipeline.shipped.recipe import OTHER

SIMULATED = "simulated maps of fresh laboratories"
STRANGE = "simulated maps of no domain, of kinds not met before"
MOTOR_MAP = "one real map: left against right hand, packaged by nilearn (NeuroVault image 10426)"

DICTIONARY = {
    "data": "The maps.",
    "metric": "What was measured.",
    "estimate": "Its value.",
    "ci_low": "Lower end of its 95 % bootstrap interval over participants.",
    "ci_high": "Upper end of that interval.",
    "n_participants": "Participants.",
    "n_maps": "Maps.",
}


def scores_table(decoder: TrainedDecoder) -> pd.DataFrame:
    """Return one row for every score in the decoder's origin."""
    return pd.DataFrame([asdict(score) for score in decoder.origin.scores])[list(DICTIONARY)]


def probabilities(
    decoder: TrainedDecoder, values: NDArray[np.floating], device: torch.device
) -> NDArray[np.float64]:
    """Return the calibrated probabilities of z-scored maps, ``(maps, classes)``."""
    n = len(values)
    no_labels = np.zeros(n, dtype=np.int64)
    batches = Batches(values=values, labels=no_labels, indices=np.arange(n), device=device)
    logits = predict_logits(decoder.model, batches).double().numpy()
    return np.asarray(softmax(logits / decoder.temperature, axis=1))


def simulated_scores(
    decoder: TrainedDecoder,
    known: MapSet,
    strange: MapSet,
    *,
    device: torch.device,
    generator: np.random.Generator,
) -> tuple[Score, ...]:
    """Score a decoder that abstains on simulated maps; intervals are over participants."""
    if decoder.abstention is None:
        raise ValueError("The decoder has no threshold to score.")
    inside, outside = (probabilities(decoder, maps.values, device) for maps in (known, strange))
    names = known.class_names
    correct = best(inside, names, OTHER) == known.labels
    kept = knows(inside, names, decoder.abstention)
    refused = ~knows(outside, names, decoder.abstention)

    def share(
        data: str, metric: str, maps: MapSet, hits: NDArray[np.bool_], among: NDArray[np.bool_]
    ) -> Score:
        return _share(data, metric, maps, hits, among, generator)

    every_known, every_strange = np.ones_like(kept), np.ones_like(refused)
    labels = np.repeat([1, 0], [len(inside), len(outside)])
    sure = [confidence(each, names, OTHER) for each in (inside, outside)]
    auc = roc_auc_score(labels, np.concatenate(sure))
    of_those_known = (
        (share(SIMULATED, "accuracy of those known", known, correct, kept),) if kept.any() else ()
    )
    return (
        share(SIMULATED, "accuracy", known, correct, every_known),
        share(SIMULATED, "known", known, kept, every_known),
        *of_those_known,
        share(STRANGE, "not known", strange, refused, every_strange),
        Score(
            data=f"{SIMULATED}, against {STRANGE}",
            metric="ROC AUC of the confidence",
            estimate=float(auc),
            n_participants=len(set(known.participants)) + len(set(strange.participants)),
            n_maps=len(labels),
        ),
    )


def _share(
    data: str,
    metric: str,
    maps: MapSet,
    hits: NDArray[np.bool_],
    among: NDArray[np.bool_],
    generator: np.random.Generator,
) -> Score:
    """Return the share of hits among some maps, with a bootstrap interval over participants."""
    people, owner = np.unique(maps.participants, return_inverse=True)
    won = np.bincount(owner, weights=hits & among, minlength=len(people))
    tried = np.bincount(owner, weights=among, minlength=len(people))

    def statistic(draw: NDArray[np.int64]) -> float:
        total = tried[draw].sum()
        return float(won[draw].sum() / total) if total else float("nan")

    found = bootstrap(len(people), statistic, generator=generator)
    return Score(
        data=data,
        metric=metric,
        estimate=found.value,
        ci_low=found.low,
        ci_high=found.high,
        n_participants=len(people),
        n_maps=int(among.sum()),
    )


def real_scores(
    decoder: TrainedDecoder, template: Template, *, device: torch.device
) -> tuple[Score, ...]:
    """Say what the decoder makes of the real map that nilearn packages, left against right hand.

    None where nilearn has none. Nothing of the recipe was chosen by it.
    """
    from nilearn.datasets import load_sample_motor_activation_image

    path = Path(str(load_sample_motor_activation_image()))
    if not path.is_file() or decoder.abstention is None:
        return ()
    made = standardise(
        [Source(path=path, weight=1.0)], grid=template.grid, brain=template.mask, zscore="brain"
    )
    values = made.values[None]
    (row,) = probabilities(decoder, values, device)
    names = [each.name for each in decoder.classes]
    motor = names.index("motor")
    known = bool(knows(row[None], names, decoder.abstention)[0])
    found = {
        "decoded as motor": float(best(row[None], names, OTHER)[0] == motor),
        "known": float(known),
        "probability of motor": float(row[motor]),
    }
    return tuple(
        Score(data=MOTOR_MAP, metric=metric, estimate=value, n_participants=1, n_maps=1)
        for metric, value in found.items()
    )
