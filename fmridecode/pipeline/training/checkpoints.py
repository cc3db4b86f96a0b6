"""Checkpoints of a fold's trainings: written now and then, and when a run is told to end."""

import hashlib
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from fmridecode import __version__
from fmridecode.bundles.checkpoint import load_checkpoint, save_checkpoint
from fmridecode.config import RunConfig
from fmridecode.core.checkpoint import Checkpoint
from fmridecode.core.fit import Capture
from fmridecode.core.maps import MapSet
from fmridecode.core.peers import ALONE, Peers
from fmridecode.core.splits import Split
from fmridecode.errors import TryAgainError
from fmridecode.pipeline.training.stopping import StopRequest, deferred_stop

FOLDER = "checkpoints"


class Keeper:
    """What one training does about checkpoints; without a path it makes none."""

    def __init__(
        self,
        path: Path | None = None,
        *,
        key: str = "",
        seconds: float = 0.0,
        request: StopRequest | None = None,
        peers: Peers = ALONE,
    ) -> None:
        self.path = path
        self.key = key
        self.seconds = seconds
        self.request = request
        self.peers = peers
        found = load_checkpoint(path, key=key) if path and peers.first else None
        self.start = peers.of_first(found)
        self.written = time.monotonic()
        self._last: Capture | None = None

    def on_batch(self, capture: Capture) -> None:
        """Write a checkpoint when it is time, or when the run is to end, and then end it."""
        if self.path is None:
            return
        self._last = capture
        stopped = self._agreed(self.request.signal if self.request else "")
        if stopped or time.monotonic() - self.written >= self.seconds:
            self._write(self.path, capture())
        if stopped:
            raise TryAgainError(
                f"{stopped} came, and the training stands in {self.path}. The same command goes "
                "on from here."
            )

    def _agreed(self, came: str) -> str:
        """Return the signal, if it came to any of the processes: they end at one minibatch."""
        return (came or "A signal") if self.peers.any(bool(came)) else ""

    def finish(self) -> None:
        """Keep the end of this training, for the fold has more to train."""
        if self.path is not None and self._last is not None:
            self._write(self.path, self._last())

    def _write(self, path: Path, checkpoint: Checkpoint) -> None:
        if self.peers.first:
            save_checkpoint(path, checkpoint, key=self.key)
        self.written = time.monotonic()


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoints:
    """The checkpoints of a fold's trainings.

    Parameters
    ----------
    folder
        Where they lie while the fold is trained.
    seconds
        Of training that a killed run may lose.
    several
        Whether the fold has several trainings; the end of each is then kept, too.
    """

    folder: Path
    seconds: float
    several: bool

    @contextmanager
    def training(self, name: str, *, key: str, peers: Peers) -> Iterator[Keeper]:
        """Keep one training, which must be of the same ``key`` to go on from an earlier one.

        Of several processes that train together, the first one reads and writes.
        """
        path = self.folder / f"{name}.safetensors"
        with deferred_stop() as request:
            keeper = Keeper(path, key=key, seconds=self.seconds, request=request, peers=peers)
            yield keeper
            if self.several:
                keeper.finish()

    def remove(self) -> None:
        """Remove all, when the fold is done."""
        shutil.rmtree(self.folder, ignore_errors=True)


def checkpoints_of(config: RunConfig, fold_folder: Path, *, trainings: int) -> Checkpoints:
    """Return the checkpoints of a fold that takes so many trainings."""
    return Checkpoints(
        folder=fold_folder / FOLDER,
        seconds=config.execution.checkpoint_minutes * 60,
        several=trainings > 1,
    )


def training_key(
    config: RunConfig, maps: MapSet, split: Split, *, seeds: list[int], device: torch.device
) -> str:
    """Return a digest of all that decides how a training goes on from a checkpoint."""
    parts = {
        "versions": [__version__, torch.__version__, device.type],
        "model": asdict(config.model),
        "training": asdict(config.training),
        "seeds": seeds,
        "zscore": config.space.zscore,
        "grid": asdict(maps.grid),
        "mask": hashlib.sha256(np.packbits(maps.mask).tobytes()).hexdigest(),
        "classes": [asdict(each) for each in maps.classes],
        "examples": [asdict(each) for each in maps.examples],
        "split": asdict(split),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
