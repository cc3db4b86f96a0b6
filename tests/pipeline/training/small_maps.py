"""A map set in memory, small enough to train many decoders on."""

import numpy as np

from fmridecode.core.grid import Grid
from fmridecode.core.maps import Example, MapClass, MapSet


def make_small_maps(n_participants: int = 12, *, seed: int = 0) -> MapSet:
    """Make maps of three classes in two tasks, each with its own corner."""
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
