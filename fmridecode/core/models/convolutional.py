"""The convolutional network of the paper, and its kin."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm
from torch.utils.checkpoint import checkpoint

from fmridecode.core.models.decoder import Decoder, Entered
from fmridecode.core.models.linear import LinearDecoder
from fmridecode.core.pooling import bearable_halvings, blocks_of, coarsenings, halve, smooth
from fmridecode.shapes import Inside, Logits, Maps, Mask

CONVOLUTIONS: dict[int, type[nn.Conv2d] | type[nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}

GAIN, DIRECTION = "parametrizations.weight.original0", "parametrizations.weight.original1"
"""What weight normalisation calls its two parameters."""


class ConvolutionalDecoder(Decoder):
    """Table 2 of the paper: convolutions of width 3, average pooling of width 2, one dense layer.

    Every convolution is weight-normalised with one gain per filter; the dense layer is not.
    Without activation it is the convolutional linear network. ``linear_path`` adds a dense
    layer straight from the masked input to the logits. ``strided`` convolutions halve the grid
    themselves instead of being averaged; their width is 4, so that every voxel counts in as many
    windows as its neighbours and the gradient has no checkerboard. ``coarsen_from`` halves the
    maps before the convolutions while the shortest axis has that many voxels. ``squash`` bends
    voxels beyond about that many SD towards it, since first-level maps have heavier tails than a
    Gaussian.
    """

    def __init__(
        self,
        mask: Mask,
        n_classes: int,
        *,
        filters: Sequence[int],
        halvings: int,
        activation: Callable[[Tensor], Tensor] | None,
        linear_path: bool,
        strided: bool,
        coarsen_from: int,
        squash: float,
    ) -> None:
        super().__init__(mask)
        self.squash = squash
        self.coarsenings = coarsenings(tuple(mask.shape), coarsen_from)
        self._blocks: Tensor | None = None
        grid = tuple(size >> self.coarsenings for size in mask.shape)
        self.halvings = bearable_halvings(grid, min(halvings, len(filters)))
        self.activation = activation
        self.is_linear = activation is None and squash == 0
        self.strided = strided
        make = CONVOLUTIONS[mask.ndim]
        channels = [1, *filters]
        self.layers = nn.ModuleList()
        for depth, (before, after) in enumerate(pairwise(channels)):
            width, stride = (4, 2) if self._halves_itself(depth) else (3, 1)
            layer = make(before, after, width, padding=1, stride=stride)
            self.layers.append(weight_norm(layer, dim=0))
        n_features = channels[-1]
        for size in grid:
            n_features *= size >> self.halvings
        self.head = nn.Linear(n_features, n_classes)
        self.direct = LinearDecoder(mask, n_classes) if linear_path else None

    @property
    def blocks(self) -> Tensor:
        """The block that each voxel of the mask is averaged in; see `blocks_of`."""
        if self._blocks is None or self._blocks.device != self.mask.device:
            self._blocks = blocks_of(self.mask, self.coarsenings)
        return self._blocks

    def _halves_itself(self, depth: int) -> bool:
        return self.strided and depth < self.halvings

    def forward(self, x: Maps) -> Logits:
        """Map ``(batch, *grid)`` to ``(batch, classes)``."""
        return self.decode(self.enter(self.within(x)))

    def enter(self, inside: Inside) -> Entered:
        """Bend the maps, and average them for the convolutions."""
        if self.squash > 0:
            inside = self.squash * torch.tanh(inside / self.squash)
        features = self.on_grid(inside).unsqueeze(1)
        for _ in range(self.coarsenings):
            features = halve(features, self.mask.ndim)
        return Entered(features=features, inside=inside)

    def enters_like(self, other: nn.Module) -> bool:
        """Whether another decoder of the same mask lets maps enter in the same way."""
        return isinstance(other, ConvolutionalDecoder) and (self.squash, self.coarsenings) == (
            other.squash,
            other.coarsenings,
        )

    def decode(self, entered: Entered) -> Logits:
        """Map what `enter` returned to ``(batch, classes)``."""
        features = cast("Tensor", entered.features)
        for depth in range(len(self.layers)):
            if self.recomputes and torch.is_grad_enabled():
                features = checkpoint(
                    self._pass, depth, features, use_reentrant=False, preserve_rng_state=False
                )
            else:
                features = self._pass(depth, features)
        logits: Tensor = self.head(features.flatten(1))
        return logits if self.direct is None else logits + self.direct.decode(entered)

    def leave(
        self, entered: Entered, upward: Tensor, deep: Tensor | None, direct: Tensor | None
    ) -> Tensor:
        """Return gradients of the logits at the voxels of the mask; see `Decoder.leave`."""
        deep = cast("Tensor", deep).flatten(2)
        if self.coarsenings:
            share = 0.5 ** (self.coarsenings * self.mask.ndim)
            deep = functional.pad(deep * share, (0, 1))  # a 0 for voxels of no block
        found = deep.index_select(2, self.blocks)
        if direct is not None:
            found.flatten(0, 1).addmm_(upward.flatten(0, 1), direct)
        if self.squash > 0:
            bent = cast("Tensor", entered.inside)
            found *= torch.addcmul(bent.new_ones(()), bent, bent, value=-(self.squash**-2))[
                :, None
            ]
        return found

    def direct_weights(self) -> Tensor | None:
        """Return the weights of the linear path, without a graph."""
        return None if self.direct is None else self.direct.direct_weights()

    def _pass(self, depth: int, features: Tensor) -> Tensor:
        """Pass features through one layer and its pooling."""
        features = self.layers[depth](features)
        if self.activation is not None:
            features = self.activation(features)
        if self._halves_itself(depth):
            return features
        pool = halve if depth < self.halvings else smooth
        return pool(features, self.mask.ndim)

    def recompute(self) -> bool:
        """Keep the input of each layer, and make what lies within it anew."""
        changed, self.recomputes = not self.recomputes, True
        return changed

    def weights(self) -> list[Tensor]:
        """Return the normalised filters and the dense weights."""
        own = [cast("Tensor", layer.weight) for layer in self.layers]
        direct = [] if self.direct is None else self.direct.weights()
        return [*own, self.head.weight, *direct]

    def logit_layers(self) -> list[nn.Linear]:
        """Return the layer after the convolutions, and the linear path."""
        direct = [] if self.direct is None else self.direct.logit_layers()
        return [self.head, *direct]

    def voxel_weights(self) -> list[Tensor]:
        """Return the weights of the linear path."""
        return [] if self.direct is None else self.direct.voxel_weights()

    def convolutions(self) -> list[nn.Module]:
        """Return the weight-normalised layers."""
        return list(self.layers)

    def feature_numbers(self) -> int:
        """Return the number of features before the pooling that makes them fewer."""
        numbers, halved = [], self.coarsenings
        for depth, layer in enumerate(self.layers):
            halved += self._halves_itself(depth)
            voxels = math.prod(size >> halved for size in self.mask.shape)
            numbers.append(voxels * cast("int", layer.out_channels))
            halved += depth < self.halvings and not self._halves_itself(depth)
        return max(numbers)
