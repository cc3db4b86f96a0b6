"""What every decoder is: a network that sees nothing outside of its mask."""

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn

from fmridecode.shapes import Inside, Logits, Maps, Mask


@dataclass(frozen=True, slots=True, kw_only=True)
class Entered:
    """Maps where they enter a decoder: no weight has touched them yet.

    Parameters
    ----------
    features
        ``(batch, ...)`` what the layers of the network see; None where there are none.
    inside
        ``(batch, voxels of the mask)`` what weights of single voxels multiply; None where the
        decoder has none.
    """

    features: Tensor | None
    inside: Tensor | None = None


class Decoder(nn.Module):
    """Base of all decoders: keeps the mask, and sees nothing outside of it.

    Parameters
    ----------
    mask
        Voxels that count; the input is 0 elsewhere, and so is its gradient.

    Attributes
    ----------
    is_linear
        Whether the logits are an affine function of the input.
    recomputes
        Whether a backward pass makes features anew; see `recompute`.
    """

    is_linear = False
    recomputes = False
    mask: Tensor

    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self.register_buffer("mask", mask.clone())
        self._voxels: Tensor | None = None

    @property
    def voxels(self) -> Tensor:
        """The numbers of the voxels of the mask; found when first asked for."""
        if self._voxels is None or self._voxels.device != self.mask.device:
            self._voxels = self.mask.flatten().nonzero().squeeze(1)
        return self._voxels

    @property
    def whole(self) -> bool:
        """Whether the mask is the whole grid."""
        return len(self.voxels) == self.mask.numel()

    def within(self, x: Maps) -> Inside:
        """Return the voxels of the mask, ``(batch, voxels)``."""
        return x.flatten(1) if self.whole else x.flatten(1).index_select(1, self.voxels)

    def on_grid(self, inside: Tensor) -> Tensor:
        """Put the voxels of the mask, the last axis, back on the grid; 0 elsewhere."""
        shape = (*inside.shape[:-1], *self.mask.shape)
        if self.whole:
            return inside.reshape(shape)
        empty = inside.new_zeros(*inside.shape[:-1], self.mask.numel())
        return empty.index_copy_(-1, self.voxels, inside).reshape(shape)

    def enter(self, inside: Inside) -> Entered:
        """Do to maps, of which `within` left the voxels of the mask, what needs no weight."""
        return Entered(features=self.on_grid(inside))

    def decode(self, entered: Entered) -> Logits:
        """Map what `enter` returned to ``(batch, classes)``."""
        logits: Logits = self(entered.features)
        return logits

    def leave(
        self, entered: Entered, upward: Tensor, deep: Tensor | None, direct: Tensor | None
    ) -> Tensor:
        """Return gradients of the logits at the voxels of the mask: the way back of `enter`.

        Parameters
        ----------
        entered
            What `enter` returned.
        upward
            ``(batch, rows, classes)`` combinations of the logits.
        deep
            ``(batch, rows, *features)`` gradients of these with respect to the features, if any.
        direct
            What `direct_weights` returned.

        Returns
        -------
        Tensor
            ``(batch, rows, voxels of the mask)``.
        """
        found = cast("Tensor", deep).flatten(2)
        return found if self.whole else found.index_select(2, self.voxels)

    def enters_like(self, other: nn.Module) -> bool:
        """Whether another decoder of the same mask lets maps enter in the same way."""
        return type(other) is type(self)

    def direct_weights(self) -> Tensor | None:
        """Return ``(classes, voxels of the mask)``, what single voxels add to logits, if any.

        Without a graph.
        """
        return None

    def weights(self) -> list[Tensor]:
        """Return the effective weights, without biases, that the L2 penalty covers."""
        return []

    def logit_layers(self) -> list[nn.Linear]:
        """Return the dense layers whose sum is the logits."""
        return []

    def voxel_weights(self) -> list[Tensor]:
        """Return the parameters that multiply single voxels on their way to the logits."""
        return []

    def convolutions(self) -> list[nn.Module]:
        """Return the convolutional layers, the first one first."""
        return []

    def recompute(self) -> bool:
        """Keep fewer features for the backward pass, which makes them anew, up to a third slower.

        Returns
        -------
        bool
            Whether that changes anything; not of a decoder without such features, nor twice.
        """
        return False

    def feature_numbers(self) -> int:
        """Return how many numbers the largest feature map of one input has; 0 without any."""
        return 0
