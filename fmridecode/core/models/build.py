"""Each architecture by its name, and its first weights."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from fmridecode.core.models.convolutional import DIRECTION, GAIN, ConvolutionalDecoder
from fmridecode.core.models.correlation import CorrelationDecoder
from fmridecode.core.models.decoder import Decoder
from fmridecode.core.models.dense import DenseDecoder
from fmridecode.core.models.linear import LinearDecoder
from fmridecode.core.settings import ModelConfig
from fmridecode.shapes import Mask


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
