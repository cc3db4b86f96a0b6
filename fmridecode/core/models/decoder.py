"""What every decoder is: a network that sees nothing outside of its mask."""

from torch import Tensor, nn

from fmridecode.shapes import Mask


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
    """

    is_linear = False
    mask: Tensor

    def __init__(self, mask: Mask) -> None:
        super().__init__()
        self.register_buffer("mask", mask.clone())

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

    def feature_numbers(self) -> int:
        """Return how many numbers the largest feature map of one input has; 0 without any."""
        return 0
