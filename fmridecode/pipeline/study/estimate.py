"""How long a study will take, said before it begins."""

import logging
import time
from pathlib import Path

import numpy as np
import torch

from fmridecode.config import RunConfig
from fmridecode.core.maps import MapSet
from fmridecode.core.saliency import gradient
from fmridecode.core.splits import make_splits
from fmridecode.core.trained import build_whole
from fmridecode.pipeline.participant.decode import batches_of
from fmridecode.pipeline.participant.explain import BATCH
from fmridecode.pipeline.study.data import StudyData
from fmridecode.pipeline.study.rows import decoder_config, decoders
from fmridecode.pipeline.training.choose import SIGMAS, chooses_sigma
from fmridecode.pipeline.training.folds import find_folds
from fmridecode.pipeline.training.train import WORTH_SAYING, seconds

log = logging.getLogger(__name__)


def log_estimate(data: StudyData, config: RunConfig, out: Path, device: torch.device) -> None:
    """Say how long all that is left will take, when it is long."""
    split, *others = make_splits(
        data.maps.participants,
        config.split,
        families=data.families,
        generator=np.random.default_rng(config.execution.random_seed),
    )
    n_folds, expected = 1 + len(others), 0.0
    for name, rows in decoders().items():
        if (out / "rows" / f"{name}_predictions.tsv").exists():
            continue
        own_config = decoder_config(config, rows)
        folds = find_folds(out, own_config)
        if folds is None or not folds.complete():
            expected += seconds(own_config, data.maps, split, n_folds, device)
        expected += _seconds_explaining(data.maps, own_config, device)
    if expected > WORTH_SAYING:
        log.info(
            "The study will take about %d minutes on %s; interrupted, the same command goes on.",
            round(expected / 60),
            device,
        )


def _seconds_explaining(maps: MapSet, config: RunConfig, device: torch.device) -> float:
    """Estimate from the gradient of one batch, of an untrained decoder."""
    model = build_whole(
        config.model,
        torch.from_numpy(maps.mask),
        len(maps.classes),
        generator=torch.Generator().manual_seed(0),
    ).to(device)
    few = np.arange(min(BATCH, len(maps.examples)))
    x, _ = batches_of(maps, few, device).take(slice(None))
    start = time.monotonic()
    gradient(model, x, 1.0, config.saliency, generator=torch.Generator(device))
    once = (time.monotonic() - start) * len(maps.examples) / len(few)
    samples = config.saliency.smoothgrad_samples
    times = sum(samples if method == "smoothgrad" else 1 for method in config.saliency.map_methods)
    if chooses_sigma(config):
        times += samples * len(SIGMAS)  # once for every map that validates a fold, or so
    return once * times
