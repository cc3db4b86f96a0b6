"""The decoder that compares with mean maps."""

import torch
from torch import Tensor, nn

from fmridecode.core.models.decoder import Decoder
from fmridecode.shapes import Logits, Maps, Mask


class CorrelationDecoder(Decoder):
    """Cosine of the map with each class's mean training map; nothing is trained."""

    class_means: Tensor

    def __init__(self, mask: Mask, n_classes: int) -> None:
        super().__init__(mask)
        self.register_buffer("class_means", torch.zeros(n_classes, int(mask.sum())))

    def forward(self, x: Maps) -> Logits:
        """Map ``(batch, *grid)`` to cosines, ``(batch, classes)``."""
        inside = nn.functional.normalize(x[:, self.mask], dim=1)
        return inside @ nn.functional.normalize(self.class_means, dim=1).T

    def remember(self, class_means: Tensor) -> None:
        """Keep the mean map ``(classes, *grid)`` of each class."""
        self.class_means.copy_(class_means[:, self.mask])
