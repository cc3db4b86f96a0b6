from dataclasses import replace

import numpy as np
import pytest
import torch

from fmridecode.bids.templates import Template
from fmridecode.core.batches import Batches
from fmridecode.core.models import Decoder
from fmridecode.core.settings import ModelConfig
from fmridecode.core.trained import build_whole, predict_logits
from fmridecode.errors import UsageError
from fmridecode.pipeline.shipped.coarse import coarse_template, on_fine_voxels

MODEL = ModelConfig(
    filters=(4,), halvings=1, gain=1.0, pooling="stride", coarsen_from=20, squash=0.0, ensemble=2
)


def _logits(model: Decoder, values: np.ndarray) -> torch.Tensor:
    n = len(values)
    batches = Batches(
        values=values.astype(np.float32),
        labels=np.zeros(n, dtype=np.int64),
        indices=np.arange(n),
        device=torch.device("cpu"),
    )
    return predict_logits(model, batches)


@pytest.fixture
def coarse(template: Template) -> Decoder:
    blocks = coarse_template(template, MODEL)
    return build_whole(
        replace(MODEL, coarsen_from=0),
        torch.from_numpy(blocks.mask),
        3,
        generator=torch.Generator().manual_seed(0),
    )


def test_blocks_are_where_the_voxels_that_they_average_are(template: Template) -> None:
    blocks = coarse_template(template, MODEL)
    assert blocks.mask.shape == tuple(n // 2 for n in template.mask.shape)
    corners = template.grid.matrix @ np.array([[0, 0, 0, 1], [1, 1, 1, 1]]).T
    np.testing.assert_allclose(blocks.grid.matrix[:3, 3], corners[:3].mean(axis=1))
    np.testing.assert_allclose(blocks.grid.matrix[:3, :3], 2 * template.grid.matrix[:3, :3])
    assert blocks.mask.sum() * 8 == pytest.approx(template.mask.sum(), rel=0.1)


def test_a_model_that_does_not_coarsen_keeps_its_voxels(template: Template) -> None:
    same = coarse_template(template, replace(MODEL, coarsen_from=0))
    assert same.grid == template.grid
    assert np.array_equal(same.mask, template.mask)


def test_the_fine_decoder_says_of_a_map_what_the_coarse_one_says_of_its_means(
    template: Template, coarse: Decoder
) -> None:
    rng = np.random.default_rng(0)
    blocks = coarse_template(template, MODEL)
    whole = np.ones_like(template.mask)
    fine = on_fine_voxels(coarse, replace(template, mask=whole), MODEL, n_classes=3)
    means = rng.standard_normal((2, *blocks.grid.shape)) * blocks.mask
    values = np.zeros((2, *template.grid.shape))
    inside = means.repeat(2, 1).repeat(2, 2).repeat(2, 3)
    noise = rng.standard_normal(inside.shape)
    x = noise.reshape(2, *(n for size in blocks.grid.shape for n in (size, 2)))
    noise = (x - x.mean(axis=(2, 4, 6), keepdims=True)).reshape(inside.shape)
    values[tuple(slice(n) for n in inside.shape)] = inside + noise
    torch.testing.assert_close(_logits(fine, values), _logits(coarse, means), rtol=1e-4, atol=1e-5)


def test_a_linear_path_cannot_be_trained_on_blocks(template: Template) -> None:
    with pytest.raises(UsageError, match="linear path"):
        coarse_template(template, replace(MODEL, linear_path=True))


def test_networks_that_differ_are_refused(template: Template, coarse: Decoder) -> None:
    with pytest.raises(UsageError, match="differ"):
        on_fine_voxels(coarse, template, replace(MODEL, ensemble=1), n_classes=3)
