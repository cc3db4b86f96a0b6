"""Decoders of several seeds as one."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from fmridecode.core.models.convolutional import ConvolutionalDecoder
from fmridecode.core.models.decoder import Decoder
from fmridecode.shapes import Logits, Maps


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
