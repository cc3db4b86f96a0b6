"""Small decoders and map sets for the tests of core."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from fmridecode.core.batches import Batches
from fmridecode.core.models import CorrelationDecoder, Decoder, build
from fmridecode.core.settings import ModelConfig


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(0)


@pytest.fixture
def a_decoder() -> Callable[..., Decoder]:
    """Return a builder of small decoders of three classes; correlation ones have their means."""

    def make(architecture: str, mask: torch.Tensor, *, seed: int = 0, **model: object) -> Decoder:
        config = ModelConfig(architecture=architecture, **{"filters": (4, 5), **model})
        decoder = build(config, mask, 3, generator=torch.Generator().manual_seed(seed))
        if isinstance(decoder, CorrelationDecoder):
            generator = torch.Generator().manual_seed(9)
            decoder.remember(torch.randn(3, *mask.shape, generator=generator))
        return decoder

    return make


@pytest.fixture
def batches() -> Callable[..., Batches]:
    """Return a maker of map sets of three classes, each with its own bright column."""

    def make(n: int, *, seed: int = 0, signal: float = 2.0) -> Batches:
        labels = np.arange(n, dtype=np.int64) % 3
        values = np.random.default_rng(seed).standard_normal((n, 6, 6)).astype(np.float32)
        values[np.arange(n), :, 2 * labels] += signal
        return Batches(
            values=values,
            labels=labels,
            indices=np.arange(n, dtype=np.int64),
            device=torch.device("cpu"),
        )

    return make
