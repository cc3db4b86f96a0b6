"""A checkpoint as one safetensors file, from which nothing is run; the rest is its JSON header."""

import json
import logging
from dataclasses import asdict
from pathlib import Path

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from fmridecode.atomic import write_atomically
from fmridecode.core.checkpoint import Checkpoint
from fmridecode.core.history import Epoch

log = logging.getLogger(__name__)

_PARTS = ("model", "best", "optimiser")


def save_checkpoint(path: Path, checkpoint: Checkpoint, *, key: str) -> None:
    """Write a checkpoint whole or not at all.

    Parameters
    ----------
    path
        The file; an earlier one is replaced.
    checkpoint
        What to keep.
    key
        Names the training; another training does not go on from this file.
    """
    tensors = {"generator": checkpoint.generator, "order": torch.from_numpy(checkpoint.order)}
    for part in _PARTS:
        named = getattr(checkpoint, part).items()
        tensors |= {f"{part}.{name}": value.contiguous() for name, value in named}
    said = {
        "key": key,
        "losses": checkpoint.losses,
        "updates": checkpoint.updates,
        "portion": checkpoint.portion,
        "epochs": [asdict(each) for each in checkpoint.epochs],
    }
    header = {"checkpoint": json.dumps(said)}
    write_atomically(path, safetensors.torch.save(tensors, metadata=header))


def load_checkpoint(path: Path, *, key: str) -> Checkpoint | None:
    """Return a training's checkpoint, None when there is none of it or the file is damaged."""
    try:
        with safetensors.safe_open(path, framework="pt") as stored:
            said = json.loads(stored.metadata()["checkpoint"])
            if said["key"] != key:
                log.info("%s is of another training, which starts anew", path)
                return None
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
        return Checkpoint(
            **{part: _of_part(part, tensors) for part in _PARTS},
            generator=tensors["generator"],
            order=tensors["order"].numpy().astype(np.int64),
            losses=tuple(said["losses"]),
            updates=said["updates"],
            portion=said["portion"],
            epochs=tuple(Epoch(**each) for each in said["epochs"]),
        )
    except FileNotFoundError:
        return None
    except (
        OSError,
        KeyError,
        TypeError,
        ValueError,
        safetensors.SafetensorError,
    ) as problem:
        log.warning("%s is damaged (%s); that training starts anew", path, problem)
        return None


def _of_part(part: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {
        name.removeprefix(part + "."): value
        for name, value in tensors.items()
        if name.startswith(part + ".")
    }
