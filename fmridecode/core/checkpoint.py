"""The whole state of a training between two minibatches, from which it goes on bit for bit."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fmridecode.core.history import Epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a training needs to go on as if it had never stopped; tensors lie on the CPU.

    Parameters
    ----------
    model, best
        Present weights and those of the best epoch so far, by name.
    optimiser
        Adam's state, by number of the parameter and name, as ``3.exp_avg``.
    generator
        State of the source of order and noise.
    order
        Positions of the training maps in the epoch under way; empty between epochs.
    losses
        Of the minibatches of the epoch under way: their number is the position in it.
    updates
        Steps of Adam so far.
    portion
        Maps that pass through the decoder at once; the order of sums depends on it.
    epochs
        What the finished epochs came to.
    """

    model: Mapping[str, Tensor]
    best: Mapping[str, Tensor]
    optimiser: Mapping[str, Tensor]
    generator: Tensor
    order: NDArray[np.int64]
    losses: tuple[float, ...]
    updates: int
    portion: int
    epochs: tuple[Epoch, ...]


def copied(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies on the CPU."""
    return {name: value.detach().to("cpu", copy=True) for name, value in tensors.items()}


def optimiser_state(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return copies of an optimiser's tensors by number of the parameter and name."""
    state = optimiser.state_dict()["state"]
    return copied(
        {f"{n}.{name}": value for n, of_one in state.items() for name, value in of_one.items()}
    )


def restore_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put an optimiser's tensors back, in the layout of the parameters: last bits depend on it."""
    parameters = [each for group in optimiser.param_groups for each in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        number, _, name = key.partition(".")
        parameter = parameters[int(number)]
        like = parameter if value.shape == parameter.shape else value
        placed = torch.empty_like(like, device="cpu").copy_(value)
        state.setdefault(int(number), {})[name] = placed
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})
