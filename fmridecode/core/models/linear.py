"""Multinomial regression."""

from typing import cast

from torch import Tensor, nn

from fmridecode.core.models.decoder import Decoder, Entered
from fmridecode.shapes import Inside, Logits, Maps, Mask


class LinearDecoder(Decoder):
    """Multinomial regression on the voxels of the mask."""

    is_linear = True

    def __init__(self, mask: Mask, n_classes: int) -> None:
        super().__init__(mask)
        self.head = nn.Linear(int(mask.sum()), n_classes)

    def forward(self, x: Maps) -> Logits:
        """Map ``(batch, *grid)`` to ``(batch, classes)``."""
        return self.decode(self.enter(self.within(x)))

    def enter(self, inside: Inside) -> Entered:
        """Leave the voxels as they are."""
        return Entered(features=None, inside=inside)

    def decode(self, entered: Entered) -> Logits:
        """Map what `enter` returned to ``(batch, classes)``."""
        return cast("Tensor", self.head(entered.inside))

    def leave(
        self, entered: Entered, upward: Tensor, deep: Tensor | None, direct: Tensor | None
    ) -> Tensor:
        """Return gradients of the logits at the voxels of the mask; see `Decoder.leave`."""
        return upward @ cast("Tensor", direct)

    def direct_weights(self) -> Tensor:
        """Return the one weight matrix, without a graph."""
        return self.head.weight.detach()

    def weights(self) -> list[Tensor]:
        """Return the one weight matrix."""
        return [self.head.weight]

    def logit_layers(self) -> list[nn.Linear]:
        """Return the only layer."""
        return [self.head]

    def voxel_weights(self) -> list[Tensor]:
        """Return the one weight matrix."""
        return [self.head.weight]
