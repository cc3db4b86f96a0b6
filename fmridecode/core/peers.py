"""Processes that train one decoder together, each on its share of every minibatch.

`torch.nn.parallel.DistributedDataParallel` adds gradients in hooks of ``backward``, and Algorithm
1 takes its gradients, of the weights and of the input, from ``torch.autograd.grad``, which runs
none. So the gradients are added by one ``all_reduce`` over all of them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed

from fmridecode.errors import TryAgainError

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Peers:
    """One process among those that train together, in torch's default process group.

    Parameters
    ----------
    rank
        Number of this process, from 0.
    size
        How many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def alone(self) -> bool:
        """Whether this is the only process."""
        return self.size == 1

    @property
    def first(self) -> bool:
        """Whether this process writes."""
        return self.rank == 0

    @property
    def last(self) -> bool:
        """Whether this is the process of the highest number."""
        return self.rank == self.size - 1

    def rows(self, n: int) -> slice:
        """Return this process's share of ``n`` examples; shares differ by one at most.

        That of the last process is empty only where ``n`` is 0.
        """
        return slice(n * self.rank // self.size, n * (self.rank + 1) // self.size)

    def add(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """Return the sums over all processes of tensors of one type, the same bits in each."""
        if self.alone:
            return list(tensors)
        flat = torch.cat([each.detach().reshape(-1) for each in tensors])
        with self._talking():
            distributed.all_reduce(flat)
        parts = torch.split(flat, [each.numel() for each in tensors])
        return [part.view_as(each) for part, each in zip(parts, tensors, strict=True)]

    def any(self, flag: bool) -> bool:
        """Return whether the flag is raised in any process."""
        if self.alone:
            return flag
        device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
        (count,) = self.add([torch.tensor(float(flag), device=device)])
        return bool(count > 0)

    def of_first(self, value: T) -> T:
        """Return what the first process has; the others may pass anything.

        It travels as a pickle, between processes that one person started together.
        """
        if self.alone:
            return value
        carried: list[T] = [value]
        with self._talking():
            distributed.broadcast_object_list(carried, src=0)
        return carried[0]

    @contextmanager
    def _talking(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as problem:
            raise TryAgainError(
                f"Another of the {self.size} processes ended, and so does number {self.rank} "
                f"({str(problem).splitlines()[0]}); see what that one said."
            ) from None


ALONE = Peers()
"""A training in one process."""
