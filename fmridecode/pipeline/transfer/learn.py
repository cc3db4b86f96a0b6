"""Learning curves: whether a training that starts from another decoder needs fewer people."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from fmridecode.config import RunConfig
from fmridecode.core.maps import MapSet
from fmridecode.core.settings import SplitConfig
from fmridecode.core.splits import Split, make_splits
from fmridecode.core.trained import predict_logits
from fmridecode.errors import BadDataError, UsageError
from fmridecode.pipeline.participant.decode import batches_of
from fmridecode.pipeline.training.baseline import baseline_config
from fmridecode.pipeline.training.fitting import batches_of_split, fit_members
from fmridecode.pipeline.training.start import check_start_saw_nobody, started
from fmridecode.progress import progress

log = logging.getLogger(__name__)

LINEAR, SCRATCH, SAME_LAYERS, STARTED = "linear", "scratch", "same layers", "started"
ARMS = {
    LINEAR: "linear decoder",
    SCRATCH: "network from scratch",
    SAME_LAYERS: "network from scratch, with the layers of the one to start from",
    STARTED: "network started from it",
}

USUAL_SIZES = (5, 10, 20)
"""Learned from unless others are asked for, and all participants of the other folds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Some participants to learn from, and those who test whoever does.

    Parameters
    ----------
    size
        How many participants train and validate.
    number
        Of the draw, from 1.
    fold
        Of those tested, from 1.
    """

    size: int
    number: int
    fold: int
    split: Split


def draws(
    participants: Sequence[str],
    sizes: Sequence[int],
    *,
    repetitions: int,
    folds: int,
    validation_share: float,
    seed: int,
) -> list[Draw]:
    """Draw subsets of participants, so that all sizes are tested on the same participants.

    Everybody is tested once per size and repetition, by decoders that learned from ``size``
    participants of the other folds, `USUAL_SIZES` when no size is given. A size that takes all
    of those is drawn once. Within a repetition the smaller subsets are parts of the larger ones.

    Raises
    ------
    UsageError
        A size is below 2, or there are not so many participants in the other folds.
    """
    settings = SplitConfig(folds=folds, validation_share=validation_share)
    outer = make_splits(participants, settings, families={}, generator=np.random.default_rng(seed))
    others = [tuple(sorted((*split.train, *split.validation))) for split in outer]
    most = min(map(len, others))
    sizes = sizes or sorted({size for size in USUAL_SIZES if size < most} | {most})
    if min(sizes) < 2 or max(sizes) > most:
        raise UsageError(
            f"--sizes {' '.join(map(str, sizes))}: with {len(set(participants))} participants in "
            f"{folds} folds, sizes from 2 to {most} are possible."
        )
    found = []
    for size in sizes:
        for number in range(1, 2 if size == most else repetitions + 1):
            for fold, split in enumerate(outer, start=1):
                rng = np.random.default_rng([seed, number, fold])
                chosen = [others[fold - 1][i] for i in rng.permutation(len(others[fold - 1]))]
                n_validation = max(1, round(validation_share * size))
                order = chosen[:size]
                part = Split(
                    train=tuple(sorted(order[n_validation:])),
                    validation=tuple(sorted(order[:n_validation])),
                    test=split.test,
                )
                found.append(Draw(size=size, number=number, fold=fold, split=part))
    return found


def arms(config: RunConfig) -> dict[str, RunConfig]:
    """Return the settings of every arm; they differ in what the arm says and in nothing else."""
    if not config.training.init_from:
        raise UsageError("--init-from is missing: it names the decoder to start from.")
    plain = replace(config, training=replace(config.training, init_from="", freeze_layers=0))
    start = started(config)
    return {
        LINEAR: baseline_config(plain),
        SCRATCH: plain,
        SAME_LAYERS: replace(plain, model=start.model),
        STARTED: start,
    }


def learning_curves(
    config: RunConfig, maps: MapSet, drawn: Sequence[Draw], device: torch.device
) -> pd.DataFrame:
    """Train every arm on every draw; return one row per arm, draw and test map."""
    check_start_saw_nobody(config, maps, [each.split for each in drawn])
    made = arms(config)
    tables = []
    with progress("Learning", len(drawn) * len(made)) as advance:
        for draw in drawn:
            for arm, settings in made.items():
                tables.append(pd.DataFrame(_rows(arm, settings, maps, draw, device)))
                advance()
    return pd.concat(tables, ignore_index=True)


def _rows(
    arm: str, config: RunConfig, maps: MapSet, draw: Draw, device: torch.device
) -> Iterator[dict[str, object]]:
    training, _ = batches_of_split(maps, draw.split, device)
    if len(set(training.labels[training.indices])) < len(maps.classes):
        raise BadDataError(
            f"The {len(draw.split.train)} training participants of a draw of {draw.size} lack a "
            "class: raise the smallest of --sizes, or try another --random-seed."
        )
    members = fit_members(config, maps, draw.split, fold=draw.fold, device=device, n_attacked=0)
    indices = maps.where(set(draw.split.test))
    predicted = predict_logits(members.model, batches_of(maps, indices, device)).argmax(dim=1)
    for index, label in zip(indices, predicted.tolist(), strict=True):
        yield {
            "arm": arm,
            "size": draw.size,
            "draw": draw.number,
            "fold": draw.fold,
            "participant_id": f"sub-{maps.examples[index].participant}",
            "true_label": maps.class_names[maps.examples[index].label],
            "predicted_label": maps.class_names[label],
            "correct": label == maps.examples[index].label,
        }
