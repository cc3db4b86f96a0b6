"""The net of the synthetic experiment."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from fmridecode.core.models.decoder import Decoder
from fmridecode.core.models.linear import LinearDecoder
from fmridecode.shapes import Logits, Maps, Mask


class DenseDecoder(Decoder):
    """One hidden layer of rectified units: the net of the synthetic experiment."""

    def __init__(self, mask: Mask, n_classes: int, hidden: int) -> None:
        super().__init__(mask)
        self.hidden = LinearDecoder(mask, hidden)
        self.activation: Callable[[Tensor], Tensor] = torch.relu
        self.head = nn.Linear(hidden, n_classes)

    def forward(self, x: Maps) -> Logits:
        """Map ``(batch, *grid)`` to ``(batch, classes)``."""
        return cast("Tensor", self.head(self.activation(self.hidden(x))))

    def weights(self) -> list[Tensor]:
        """Return both weight matrices."""
        return [self.hidden.head.weight, self.head.weight]

    def logit_layers(self) -> list[nn.Linear]:
        """Return the layer after the hidden one."""
        return [self.head]
