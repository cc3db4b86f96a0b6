"""The decoders: maps in, logits out, for grids of two or three dimensions."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from fmridecode.core.pooling import bearable_halvings, coarsenings, halve, smooth
from fmridecode.core.settings import ModelConfig
from fmridecode.shapes import Logits, Maps, Mask

CONVOLUTIONS: dict[int, type[nn.Conv2d] | type[nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}

GAIN, DIRECTION = "parametrizations.weight.original0", "parametrizations.weight.original1"
"""What weight normalisation calls its two parameters."""


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


class DenseDecoder(Decoder):
    """One hidden layer of rectified units: the net of the synthetic experiment."""

    def __init__(self, mask: Mask, n_classes: int, hidden: int) -> None:
        super().__init__(mask)
        self.hidden = LinearDecoder(mask, hidden)
        self.head = nn.Linear(hidden, n_classes)

    def forward(self, x: Maps) -> Logits:
        """Map ``(batch, *grid)`` to ``(batch, classes)``."""
        return cast("Tensor", self.head(torch.relu(self.hidden(x))))

    def weights(self) -> list[Tensor]:
        """Return both weight matrices."""
        return [self.hidden.head.weight, self.head.weight]

    def logit_layers(self) -> list[nn.Linear]:
        """Return the layer after the hidden one."""
        return [self.head]


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

    def _halves_itself(self, depth: int) -> bool:
        return self.strided and depth < self.halvings

    def forward(self, x: Maps) -> Logits:
        """Map ``(batch, *grid)`` to ``(batch, classes)``."""
        return self.decode(*self.prepare(x))

    def prepare(self, x: Maps) -> tuple[Maps, Tensor]:
        """Return the maps, masked and bent, and what the convolutions see of them."""
        x = x * self.mask
        if self.squash > 0:
            x = self.squash * torch.tanh(x / self.squash)
        features = x.unsqueeze(1)
        for _ in range(self.coarsenings):
            features = halve(features, self.mask.ndim)
        return x, features

    def prepares_like(self, other: nn.Module) -> bool:
        """Whether another decoder of the same mask prepares its maps in the same way."""
        return isinstance(other, ConvolutionalDecoder) and (self.squash, self.coarsenings) == (
            other.squash,
            other.coarsenings,
        )

    def decode(self, x: Maps, features: Tensor) -> Logits:
        """Map what `prepare` returned to ``(batch, classes)``."""
        for depth, layer in enumerate(self.layers):
            features = layer(features)
            if self.activation is not None:
                features = self.activation(features)
            if not self._halves_itself(depth):
                pool = halve if depth < self.halvings else smooth
                features = pool(features, self.mask.ndim)
        logits: Tensor = self.head(features.flatten(1))
        return logits if self.direct is None else logits + self.direct(x)

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


class Ensemble(Decoder):
    """Decoders of the same kind from different seeds; their logits are averaged.

    What all members do to the maps before their own weights come in is done once, forward and
    back.
    """

    def __init__(self, members: Sequence[Decoder]) -> None:
        super().__init__(members[0].mask)
        self.members = nn.ModuleList(members)
        self.is_linear = members[0].is_linear

    def forward(self, x: Maps) -> Logits:
        """Map ``(batch, *grid)`` to the mean logits, ``(batch, classes)``."""
        first = self.members[0]
        if isinstance(first, ConvolutionalDecoder) and all(map(first.prepares_like, self.members)):
            prepared = first.prepare(x)
            each = [cast("ConvolutionalDecoder", m).decode(*prepared) for m in self.members]
        else:
            each = [member(x) for member in self.members]
        return torch.stack(each).mean(dim=0)

    def feature_numbers(self) -> int:
        """Return those of a member: they pass one after the other."""
        return max(cast("Decoder", member).feature_numbers() for member in self.members)


def _convolutional(stride: int, rectified: bool) -> Callable[[ModelConfig, Mask, int], Decoder]:
    def make(config: ModelConfig, mask: Mask, n_classes: int) -> Decoder:
        return ConvolutionalDecoder(
            mask,
            n_classes,
            filters=config.filters,
            halvings=config.halvings if stride == 2 else 0,
            activation=torch.relu_ if rectified else None,  # in place: half the memory
            linear_path=config.linear_path,
            strided=config.pooling == "stride",
            coarsen_from=config.coarsen_from,
            squash=config.squash,
        )

    return make


ARCHITECTURES: dict[str, Callable[[ModelConfig, Mask, int], Decoder]] = {
    "linear": lambda _, mask, n_classes: LinearDecoder(mask, n_classes),
    "correlation": lambda _, mask, n_classes: CorrelationDecoder(mask, n_classes),
    "cln": _convolutional(stride=2, rectified=False),
    "cnn": _convolutional(stride=2, rectified=True),
    "cnn-stride1": _convolutional(stride=1, rectified=True),
    "dense": lambda config, mask, n_classes: DenseDecoder(mask, n_classes, config.hidden),
}


def build(
    config: ModelConfig, mask: Mask, n_classes: int, *, generator: torch.Generator
) -> Decoder:
    """Build one freshly initialised decoder (not an ensemble).

    Convolutions start He-normal with the config's gain (K. He et al. 2015,
    doi:10.1109/ICCV.2015.123), dense layers Glorot-uniform or, those that make the logits, at
    zero; biases start at zero.

    Parameters
    ----------
    config
        The architecture.
    mask
        Voxels that count, on the grid.
    n_classes
        Number of logits.
    generator
        Source of the initial weights, on the CPU.
    """
    model = ARCHITECTURES[config.architecture](config, mask, n_classes)
    zeroed = model.logit_layers() if config.dense_init == "zero" else []
    for module in model.modules():
        if isinstance(module, nn.Linear):
            if any(module is each for each in zeroed):
                nn.init.zeros_(module.weight)
            else:
                nn.init.xavier_uniform_(module.weight, generator=generator)
            nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Conv2d | nn.Conv3d):
            filters = dict(module.named_parameters())
            nn.init.kaiming_normal_(filters[DIRECTION], generator=generator)
            nn.init.constant_(filters[GAIN], config.gain)
            nn.init.zeros_(cast("Tensor", module.bias))
    return model
