"""What the shipped decoder is made of; these very values made the one in the package."""

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np

from fmridecode.core.settings import ModelConfig, TrainingConfig
from fmridecode.experiments.contrasts import strangers
from fmridecode.experiments.regions import DOMAINS
from fmridecode.experiments.study import SimulationConfig

NAME = "hcp7-simulated"

CLASS_NAMES = {name: name for name in DOMAINS} | {"wm": "working-memory"}
"""What the shipped set of classes, hcp7, calls each simulated domain."""

OTHER = "other"
"""The class of maps that are of no domain."""

Role = Literal["train", "validation", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShippedRecipe:
    """How the shipped decoder is made.

    Parameters
    ----------
    participants, strangers
        Simulated participants with a map of every domain, and others with a map of every kind
        that is of no domain, for training.
    held_out
        Participants of each sort for validation, and as many for the test.
    seed
        Of the maps, the weights, the order and the noise.
    resolution
        Of the grid, in mm.
    model, training
        The network and its training.
    """

    participants: int = 4000
    strangers: int = 1000
    held_out: int = 120
    seed: int = 0
    resolution: int = 4
    model: ModelConfig = field(
        default_factory=lambda: ModelConfig(
            filters=(16, 32),
            halvings=2,
            gain=1.0,
            pooling="stride",
            coarsen_from=48,
            squash=5.0,
        )
    )
    training: TrainingConfig = field(
        default_factory=lambda: TrainingConfig(
            scheme="adversarial",
            epsilon=0.04,
            epochs=20,
            schedule="cosine",
        )
    )

    def study(self, role: Role) -> SimulationConfig:
        """Return the simulated study of the domains for a role."""
        n = self.participants if role == "train" else self.held_out
        return SimulationConfig(participants=n, variety=1.0, seed=self._seed(role, 0))

    def strange(self, role: Role) -> SimulationConfig:
        """Return the simulated study of what is of no domain for a role."""
        n = self.strangers if role == "train" else self.held_out
        known = strangers()
        kinds = {"train": known.train, "validation": known.calibrate, "test": known.test}
        return SimulationConfig(
            participants=n,
            classes=kinds[role],
            variety=1.0,
            seed=self._seed(role, 1),
        )

    def unmet(self, role: Role) -> SimulationConfig:
        """Return that study without the kinds that training has."""
        whole, met = self.strange(role), strangers().train
        return replace(whole, classes=tuple(each for each in whole.classes if each not in met))

    def _seed(self, role: Role, sort: int) -> int:
        sequence = np.random.SeedSequence([self.seed, get_args(Role).index(role), sort])
        return int(sequence.generate_state(1)[0])
