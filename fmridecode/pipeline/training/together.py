"""Several processes under ``torchrun``: who they are, and what only the first of them does."""

import contextlib
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from torch import distributed

from fmridecode.config import ExecutionConfig
from fmridecode.core.maps import MapSet
from fmridecode.core.peers import ALONE, Peers
from fmridecode.errors import FmridecodeError, TryAgainError, UsageError
from fmridecode.pipeline.device import choose_device

T = TypeVar("T")

LONGEST_WAIT = timedelta(hours=6)
"""How long processes wait for one another: the first one prepares the maps meanwhile."""


def n_started() -> int:
    """Return how many processes torchrun started; 1 without it."""
    named = {"RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys()
    return int(os.environ["WORLD_SIZE"]) if named else 1


@contextlib.contextmanager
def joined(config: ExecutionConfig) -> Iterator[tuple[Peers, torch.device]]:
    """Join the processes that torchrun started, each on a GPU of its own, or on the CPU.

    All but the first log errors only.

    Raises
    ------
    UsageError
        When one GPU is named for all.
    TryAgainError
        When the others cannot be reached.
    """
    if n_started() == 1:
        yield ALONE, choose_device(config)
        return
    if ":" in config.device:
        raise UsageError(
            f"--device {config.device} names one GPU, and torchrun started {n_started()} "
            "processes that each take their own; use --device cuda."
        )
    device = choose_device(config)
    if device.type == "cuda":
        device = choose_device(replace(config, device=f"cuda:{os.environ['LOCAL_RANK']}"))
        torch.cuda.set_device(device)
    backend = "nccl" if device.type == "cuda" else "gloo"
    try:
        distributed.init_process_group(backend, timeout=LONGEST_WAIT)
    except (RuntimeError, ValueError) as problem:
        raise TryAgainError(
            f"The {n_started()} processes of torchrun cannot reach one another "
            f"({str(problem).splitlines()[0]}); check its --rdzv-endpoint and --nnodes."
        ) from None
    peers = Peers(rank=distributed.get_rank(), size=distributed.get_world_size())
    log = logging.getLogger("fmridecode")
    level = log.level
    log.setLevel(level if peers.first else logging.ERROR)
    try:
        yield peers, device
    finally:
        log.setLevel(level)
        distributed.destroy_process_group()  # or the interpreter aborts at its end, now and then


def by_first(peers: Peers, action: Callable[[], T]) -> T:
    """Return what an action returns in the first process; the others wait, or fail with it."""
    if peers.alone:
        return action()
    outcome: tuple[T | None, FmridecodeError | None] = (None, None)
    if peers.first:
        try:
            outcome = (action(), None)
        except FmridecodeError as problem:
            outcome = (None, problem)
    result, failure = peers.of_first(outcome)
    if failure is None:
        return result  # type: ignore[return-value]  # there is one where nothing failed
    if peers.first:
        raise failure
    raise type(failure)("The first process ended with an error; see what it said.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mapped:
    """Where a memory-mapped array lies."""

    path: Path
    dtype: str
    offset: int
    shape: tuple[int, ...]


def shared_maps(peers: Peers, maps: MapSet | None) -> MapSet:
    """Return the first process's maps; the values are mapped from their file, where they are.

    Raises
    ------
    TryAgainError
        When this machine does not see the file.
    """
    mapped = None
    if maps is not None and isinstance(maps.values, np.memmap) and maps.values.filename:
        mapped = _Mapped(
            path=Path(maps.values.filename),
            dtype=str(maps.values.dtype),
            offset=maps.values.offset,
            shape=maps.values.shape,
        )
    if maps is None or mapped is None:
        carried = peers.of_first(maps)
    else:
        carried = peers.of_first(replace(maps, values=np.empty((0, 0), dtype=np.float32)))
    mapped = peers.of_first(mapped)
    if maps is not None:
        return maps
    if carried is None:
        raise ValueError("the first process has no maps")
    return carried if mapped is None else replace(carried, values=_opened(mapped))


def _opened(mapped: _Mapped) -> np.memmap:
    try:
        return np.memmap(
            mapped.path, mapped.dtype, mode="r", offset=mapped.offset, shape=mapped.shape
        )
    except OSError as problem:
        raise TryAgainError(
            f"{mapped.path}, which the first process prepared, cannot be read here "
            f"({problem.strerror}); --work-dir must be a folder that all machines share."
        ) from None
