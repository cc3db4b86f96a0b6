"""How stable a participant's saliency maps are over decoders, sessions and tiny noise."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fmridecode.core.models import Ensemble
from fmridecode.core.reliability import RADIUS, correlation_with, mean_correlation, sensitivity
from fmridecode.core.trained import members_of
from fmridecode.pipeline.participant.again import Again, again
from fmridecode.pipeline.participant.subject import Subject

SCORES = "desc-reliability_scores"
DRAWS = {"quick": 2, "full": 10}
"""Noises of the sensitivity, by reach."""

MEASURES_DICTIONARY = (
    "members: mean correlation between the maps of the ensemble's members, which differ in their "
    "seed; none has seen the participant. folds: mean correlation of the map with those of the "
    "decoders of the other folds, which HAVE seen the participant in training or validation. "
    "sessions: mean correlation between the maps of the class in different sessions, by the same "
    f"decoder. sensitivity: largest change of the map under noise of at most {RADIUS:g} SD in "
    "every voxel, relative to the map, both as vectors of voxels (max-sensitivity)."
)
RELIABILITY_DICTIONARY = {
    "participant_id": "Participant.",
    "session_id": "Session, n/a where the data set has none, and for sessions.",
    "label": "True class of the map; its saliency is what is measured.",
    "method": "Saliency method.",
    "measure": MEASURES_DICTIONARY,
    "value": "Pearson correlation over the voxels of the mask; for sensitivity the change, 0 or "
    "more, where less is more stable.",
    "n": "Pairs of members or sessions, other folds, or draws of the noise.",
    "seen_in_training": "Whether a decoder that takes part has seen the participant in training "
    "or validation.",
}


def reliability_tables(subject: Subject) -> dict[str, pd.DataFrame]:
    """Return every measure of every map."""
    chosen = again(subject, subject.turn.config.evaluation.reliability)
    rows = [*_members(chosen), *_folds(chosen), *_sessions(subject), *_sensitivity(chosen)]
    return {SCORES: pd.DataFrame(rows, columns=list(RELIABILITY_DICTIONARY))}


def _members(chosen: Again) -> Iterator[dict[str, object]]:
    decoder = chosen.subject.decoder
    if not isinstance(decoder.model, Ensemble):
        return
    mask = chosen.subject.maps.mask
    by_member = [chosen.by(each) for each in members_of(decoder)]
    n = len(by_member)
    for method in chosen.saliency.map_methods:
        for k, keys in chosen.rows():
            value = mean_correlation([maps[method][k][mask] for maps in by_member])
            yield _row(
                keys, method, "members", value, n * (n - 1) // 2,
                seen=chosen.subject.decoded.seen_in_training,
            )  # fmt: skip


def _folds(chosen: Again) -> Iterator[dict[str, object]]:
    subject = chosen.subject
    others = list(subject.turn.other_folds(subject.label, device=subject.device))
    if not others:
        return
    mask = subject.maps.mask
    own = chosen.by(subject.decoder)
    by_fold = [chosen.by(each.bundle.decoder) for each in others]
    seen = any(each.seen for each in others)
    for method in chosen.saliency.map_methods:
        for k, keys in chosen.rows():
            value = correlation_with(
                own[method][k][mask], [maps[method][k][mask] for maps in by_fold]
            )
            yield _row(keys, method, "folds", value, len(others), seen=seen)


def _sessions(subject: Subject) -> Iterator[dict[str, object]]:
    examples = [subject.maps.examples[index] for index in subject.known]
    for method, saliency in subject.saliency.items():
        for label in sorted({each.label for each in examples}):
            same = [k for k, each in enumerate(examples) if each.label == label]
            if len({examples[k].session for k in same}) < 2:
                continue
            value = mean_correlation([saliency[k] for k in same])
            keys = {**subject.keys(examples[same[0]]), "session_id": None}
            n, seen = len(same) * (len(same) - 1) // 2, subject.decoded.seen_in_training
            yield _row(keys, method, "sessions", value, n, seen=seen)


def _sensitivity(chosen: Again) -> Iterator[dict[str, object]]:
    subject = chosen.subject
    draws = DRAWS[subject.turn.config.evaluation.reliability]
    seed = int(subject.seed(int(chosen.indices[0])).generate_state(1)[0])
    decoder = subject.decoder
    for method in chosen.saliency.map_methods:
        found: list[NDArray[np.float64]] = []
        for x, labels in chosen.batches():
            generator = torch.Generator(x.device).manual_seed(seed)
            change = sensitivity(
                partial(chosen.explain, decoder, method, labels=labels),
                x,
                decoder.model.mask,
                draws=draws,
                generator=generator,
            )
            found.append(change.cpu().numpy())
        values = np.concatenate(found)
        for k, keys in chosen.rows():
            seen = subject.decoded.seen_in_training
            yield _row(keys, method, "sensitivity", float(values[k]), draws, seen=seen)


def _row(
    keys: dict[str, object], method: str, measure: str, value: float, n: int, *, seen: bool
) -> dict[str, object]:
    return {
        **keys,
        "method": method,
        "measure": measure,
        "value": value,
        "n": n,
        "seen_in_training": seen,
    }
