"""Multinomial regression."""

from typing import cast

from torch import Tensor, nn

from fmridecode.core.models.decoder import Decoder
from fmridecode.shapes import Logits, Maps, Mask


class LinearDecoder(Decoder):
    """Multinomial regression on the voxels of the mask."""

    is_linear = True

    def __init__(self, mask: Mask, n_classes: int) -> None:
        super().__init__(mask)
        self.register_buffer("voxels", mask.flatten().nonzero().squeeze(1), persistent=False)
        self.whole = bool(mask.all())
        self.head = nn.Linear(int(mask.sum()), n_classes)

    def forward(self, x: Maps) -> Logits:
        """Map ``(batch, *grid)`` to ``(batch, classes)``."""
        inside = x.flatten(1)
        if not self.whole:  # picking voxels costs more than the rest of the decoder
            inside = inside.index_select(1, cast("Tensor", self.voxels))
        return cast("Tensor", self.head(inside))

    def weights(self) -> list[Tensor]:
        """Return the one weight matrix."""
        return [self.head.weight]

    def logit_layers(self) -> list[nn.Linear]:
        """Return the only layer."""
        return [self.head]

    def voxel_weights(self) -> list[Tensor]:
        """Return the one weight matrix."""
        return [self.head.weight]
