"""Train a network on the coarse voxels that its convolutions see, and use it on fine ones.

A convolutional decoder without linear path that halves its maps first (``--coarsen-from``) is a
function of the means over blocks of voxels, and so is the gradient that attacks it: constant
within a block. Simulating and training on the blocks gives the same network at an eighth of the
cost for every halving.
"""

from dataclasses import replace

import numpy as np
import torch

from fmridecode.bids.templates import Template
from fmridecode.core.grid import as_rows
from fmridecode.core.models import Decoder
from fmridecode.core.pooling import coarsenings, halve
from fmridecode.core.settings import ModelConfig
from fmridecode.core.trained import build_whole
from fmridecode.errors import UsageError


def coarse_template(template: Template, model: ModelConfig) -> Template:
    """Return the blocks of a template's voxels that a model's convolutions see.

    A block is in the brain when most of its voxels are. An odd last slice is dropped, as the
    model does.
    """
    if model.linear_path:
        raise UsageError("A linear path sees every voxel: it cannot be trained on coarse ones.")
    mask, matrix = template.mask, template.grid.matrix
    for _ in range(coarsenings(template.grid.shape, model.coarsen_from)):
        inside = torch.from_numpy(mask.astype(np.float32))[None, None]
        mask = halve(inside, mask.ndim)[0, 0].numpy() > 0.5
        first = matrix @ [0.5, 0.5, 0.5, 1.0]
        matrix = matrix @ np.diag([2.0, 2.0, 2.0, 1.0])
        matrix[:, 3] = first
    grid = replace(template.grid, shape=mask.shape, affine=as_rows(matrix))
    return replace(template, grid=grid, mask=mask)


def on_fine_voxels(
    model: Decoder, template: Template, config: ModelConfig, *, n_classes: int
) -> Decoder:
    """Return a network with the same weights that takes the maps of a template."""
    mask = torch.from_numpy(template.mask)
    fine = build_whole(config, mask, n_classes, generator=torch.Generator())
    weights = {k: v for k, v in model.state_dict().items() if not k.endswith("mask")}
    masks = {k: v for k, v in fine.state_dict().items() if k.endswith("mask")}
    try:
        fine.load_state_dict({**weights, **masks})
    except RuntimeError as problem:
        raise UsageError(f"The networks on coarse and on fine voxels differ: {problem}") from None
    return fine
