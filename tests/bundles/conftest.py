"""A small decoder, and its bundle on disk."""

from pathlib import Path

import numpy as np
import pytest
import torch

from fmridecode.bundles.bundle import save
from fmridecode.core.calibration import Calibration
from fmridecode.core.grid import Grid
from fmridecode.core.maps import MapClass
from fmridecode.core.origin import Fingerprints, Origin, Score, Usual
from fmridecode.core.settings import ModelConfig, TrainingConfig
from fmridecode.core.trained import TrainedDecoder, build_whole

SHAPE = (6, 7, 6)


@pytest.fixture
def decoder() -> TrainedDecoder:
    mask = torch.ones(SHAPE, dtype=torch.bool)
    mask[0] = False
    config = ModelConfig(filters=(3, 2), halvings=1, linear_path=True, ensemble=2)
    model = build_whole(config, mask, 3, generator=torch.Generator().manual_seed(1))
    return TrainedDecoder(
        model=model,
        model_config=config,
        training_config=TrainingConfig(epochs=3),
        classes=(
            MapClass(name="a", task="t", contrast="a"),
            MapClass(name="b"),
            MapClass(name="c"),
        ),
        grid=Grid(
            shape=SHAPE,
            affine=tuple(map(tuple, np.diag([8.0, 8.0, 8.0, 1.0]).tolist())),
            space="MNI152NLin2009cAsym",
            resolution="08",
        ),
        mask_source="a box",
        zscore="brain",
        calibration=Calibration(
            temperature=1.5,
            at_bound=False,
            nll_before=1.0,
            nll_after=0.9,
            ece_before=0.2,
            ece_after=0.1,
        ),
        n_maps=12,
        n_participants=4,
        seed=7,
        origin=Origin(
            dataset="Some maps",
            authors=("A. Person", "B. Person"),
            licence="CC0",
            stat="z",
            definitions=("task t", "mean of b1 and b2", ""),
            scores=(
                Score(data="its folds", metric="accuracy", estimate=0.7, ci_low=0.6, ci_high=0.8,
                      n_participants=4, n_maps=12),
                Score(data="its folds", metric="log_loss", estimate=0.9, n_participants=4,
                      n_maps=12),
            ),
            usual=(Usual(statistic="fwhm", median=9.0, spread=1.0),),
            fingerprints=Fingerprints(salt="ab12", maps=("00ff",), participants=("1234",)),
        ),
    )  # fmt: skip


@pytest.fixture
def folder(decoder: TrainedDecoder, tmp_path: Path) -> Path:
    save(decoder, tmp_path / "fold-1")
    return tmp_path / "fold-1"
