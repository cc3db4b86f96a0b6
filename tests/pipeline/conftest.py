"""A small study in memory: simulated maps on a coarse grid, and settings that train at once."""

from collections.abc import Callable

import numpy as np
import pytest

from fmridecode.config import RunConfig, compose
from fmridecode.core.grid import Grid
from fmridecode.core.maps import Example, MapClass, MapSet

QUICK = {
    "model": {"filters": (4,), "halvings": 1, "gain": 1.0, "linear_path": True},
    "training": {"epochs": 8, "batch_size": 16, "learning_rate": 0.01},
    "split": {"folds": 3, "validation_share": 0.4},
    "saliency": {"smoothgrad_samples": 2},
    "execution": {"device": "cpu"},
}


@pytest.fixture
def quick() -> Callable[..., RunConfig]:
    """Return a maker of settings for tiny decoders; more values may be given."""
    return lambda *more: compose(QUICK, *more)


@pytest.fixture
def small_maps() -> Callable[..., MapSet]:
    """Return a maker of map sets of three classes in two tasks, each with its own corner."""

    def make(n_participants: int = 12, *, seed: int = 0) -> MapSet:
        rng, shape = np.random.default_rng(seed), (6, 6, 6)
        mask = np.ones(shape, dtype=np.bool_)
        mask[0] = False
        values = rng.standard_normal((n_participants, 3, *shape))
        for k in range(3):
            values[:, k, 1 + k : 3 + k, :3, 2 * k : 2 * k + 2] += 1.5
        values[..., ~mask] = 0
        examples = tuple(
            Example(participant=f"{p:02d}", session="", label=k, sources=(f"bids::{p}-{k}",))
            for p in range(n_participants)
            for k in range(3)
        )
        return MapSet(
            values=values.reshape(-1, *shape).astype(np.float32),
            examples=examples,
            classes=tuple(
                MapClass(name=name, task=task, contrast=name)
                for name, task in (("a", "one"), ("b", "one"), ("c", "two"))
            ),
            mask=mask,
            grid=Grid(
                shape=shape,
                affine=tuple(map(tuple, np.diag([8.0, 8.0, 8.0, 1.0]).tolist())),
                space="MNI152NLin2009cAsym",
                resolution="08",
            ),
            mask_source="a box",
        )

    return make
