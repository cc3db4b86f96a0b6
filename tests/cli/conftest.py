from pathlib import Path

import numpy as np
import pytest
import torch

from fmridecode.bundles.bundle import save
from fmridecode.core.calibration import Calibration
from fmridecode.core.grid import Grid
from fmridecode.core.maps import MapClass
from fmridecode.core.settings import ModelConfig, TrainingConfig
from fmridecode.core.trained import TrainedDecoder, build_whole


@pytest.fixture
def a_bundle(tmp_path: Path) -> Path:
    """Write a tiny linear decoder."""
    mask = torch.ones(3, 3, 3, dtype=torch.bool)
    config = ModelConfig(architecture="linear")
    decoder = TrainedDecoder(
        model=build_whole(config, mask, 2, generator=torch.Generator().manual_seed(0)),
        model_config=config,
        training_config=TrainingConfig(),
        classes=(MapClass(name="a"), MapClass(name="b")),
        grid=Grid(
            shape=(3, 3, 3),
            affine=tuple(map(tuple, np.eye(4).tolist())),
            space="S",
            resolution="01",
        ),
        mask_source="a cube",
        zscore="brain",
        calibration=Calibration(
            temperature=1.0, at_bound=False, nll_before=1, nll_after=1, ece_before=0, ece_after=0
        ),
        n_maps=2,
        n_participants=1,
        seed=0,
    )
    save(decoder, tmp_path / "decoder")
    return tmp_path / "decoder"
