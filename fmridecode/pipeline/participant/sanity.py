"""Whether a participant's saliency maps depend on what the decoder learnt."""

from collections.abc import Iterator
from dataclasses import asdict, replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fmridecode.core.randomisation import (
    RANGE,
    WINDOW,
    Original,
    cascade,
    n_layers,
)
from fmridecode.pipeline.participant.again import Again, again
from fmridecode.pipeline.participant.subject import Subject

SCORES = "desc-sanity_scores"
DRAWS = {"quick": 1, "full": 5}
"""Random weights that are drawn of every map, by reach."""

WEIGHTS, LABELS = "weights", "labels"

SANITY_DICTIONARY = {
    "participant_id": "Participant.",
    "session_id": "Session, n/a where the data set has none.",
    "label": "True class of the map; its saliency is what is compared.",
    "method": "Saliency method.",
    "randomised": "weights: layers of the decoder have random weights, cascading from the last. "
    "labels: the decoder was trained on labels permuted within participants.",
    "depth": "How many layers have random weights, from the last; n/a for labels.",
    "n_layers": "How many layers there are; n/a for labels.",
    "layer": "Layer that was randomised last; n/a for labels.",
    "draw": "Number of the random weights, from 1.",
    "rank_correlation": "Spearman correlation with the decoder's own map over the voxels of the "
    "mask; signed.",
    "rank_correlation_absolute": "The same of the magnitudes.",
    "ssim": "Mean structural similarity with the decoder's own map in three dimensions: the "
    "contrast-structure term of SSIM (Wang et al. 2004, doi:10.1109/TIP.2003.819861), Gaussian "
    f"window of SD {WINDOW:g} voxels, each map divided by its root mean square, dynamic range "
    f"{RANGE:g}. 1 for maps that differ in a positive factor only.",
}


def sanity_tables(subject: Subject) -> dict[str, pd.DataFrame]:
    """Return how alike the maps stay as the decoder is randomised."""
    reach = subject.turn.config.evaluation.sanity
    chosen = again(subject, reach)
    mask = subject.maps.mask
    originals = {
        method: [Original(one, mask) for one in maps]
        for method, maps in chosen.by(subject.decoder).items()
    }
    rows = [
        row
        for draw in range(1, DRAWS[reach] + 1)
        for depth, maps in _random_weights(chosen, draw)
        for row in _compared(chosen, originals, maps, {**depth, "draw": draw})
    ]
    other = subject.turn.permuted
    if other is not None:
        rows += _compared(
            chosen, originals, chosen.by(other.decoder), {"randomised": LABELS, "draw": 1}
        )
    table = pd.DataFrame(rows, columns=list(SANITY_DICTIONARY))
    return {SCORES: table.astype({"depth": "Int64", "n_layers": "Int64"})}


def _random_weights(
    chosen: Again, draw: int
) -> Iterator[tuple[dict[str, object], dict[str, NDArray[np.float32]]]]:
    """Yield the maps of every depth; the weights differ between participants and draws."""
    subject = chosen.subject
    seed = subject.seed(int(chosen.indices[0])).generate_state(2 + draw)[-1]
    generator = torch.Generator().manual_seed(int(seed))
    model = subject.decoder.model
    for each in cascade(model, generator=generator):
        said = {
            "randomised": WEIGHTS,
            "depth": each.depth,
            "n_layers": n_layers(model),
            "layer": each.layer,
        }
        yield said, chosen.by(replace(subject.decoder, model=each.model))


def _compared(
    chosen: Again,
    originals: dict[str, list[Original]],
    maps: dict[str, NDArray[np.float32]],
    said: dict[str, object],
) -> list[dict[str, object]]:
    return [
        {**keys, "method": method, **said, **asdict(originals[method][k].compare(found[k]))}
        for method, found in maps.items()
        for k, keys in chosen.rows()
    ]
