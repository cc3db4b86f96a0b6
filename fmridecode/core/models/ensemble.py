"""Decoders of several seeds as one."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from fmridecode.core.models.decoder import Decoder, Entered
from fmridecode.shapes import Inside, Logits, Maps, MembersLogits


class Ensemble(Decoder):
    """Decoders of the same kind from different seeds; their logits are averaged.

    What all members do to the maps before their own weights come in is done once, forward and
    back.
    """

    def __init__(self, members: Sequence[Decoder]) -> None:
        super().__init__(members[0].mask)
        self.members = nn.ModuleList(members)
        self.is_linear = members[0].is_linear
        self.together = all(map(members[0].enters_like, members))

    def forward(self, x: Maps) -> Logits:
        """Map ``(batch, *grid)`` to the mean logits, ``(batch, classes)``."""
        return self.each(x).mean(dim=0)

    def each(self, x: Maps) -> MembersLogits:
        """Map ``(batch, *grid)`` to the logits of every member, ``(members, batch, classes)``."""
        if self.together:
            return self._decoded(self.enter(self.within(x)))
        return torch.stack([member(x) for member in self.members])

    def enter(self, inside: Inside) -> Entered:
        """Do to maps what needs no weight of any member, if that is the same for all."""
        return self._first.enter(inside) if self.together else super().enter(inside)

    def decode(self, entered: Entered) -> Logits:
        """Map what `enter` returned to the mean logits, ``(batch, classes)``."""
        if not self.together:
            return super().decode(entered)
        return self._decoded(entered).mean(dim=0)

    def _decoded(self, entered: Entered) -> MembersLogits:
        return torch.stack([cast("Decoder", each).decode(entered) for each in self.members])

    def leave(
        self, entered: Entered, upward: Tensor, deep: Tensor | None, direct: Tensor | None
    ) -> Tensor:
        """Return gradients of the logits at the voxels of the mask; see `Decoder.leave`."""
        if not self.together:
            return super().leave(entered, upward, deep, direct)
        return self._first.leave(entered, upward, deep, direct)

    def direct_weights(self) -> Tensor | None:
        """Return the mean of the members' weights of single voxels."""
        each = [cast("Decoder", member).direct_weights() for member in self.members]
        there = [one for one in each if one is not None]
        return torch.stack(there).mean(dim=0) if there else None

    @property
    def _first(self) -> Decoder:
        return cast("Decoder", self.members[0])

    def recompute(self) -> bool:
        """Let all members make features anew."""
        changed = [cast("Decoder", member).recompute() for member in self.members]
        self.recomputes = self.recomputes or any(changed)
        return any(changed)

    def feature_numbers(self) -> int:
        """Return those of a member: they pass one after the other."""
        return max(cast("Decoder", member).feature_numbers() for member in self.members)
