"""The participants of a simulated study: how each differs from the population.

Every draw has its own random stream, named by what it is for, so that a participant depends on
neither the number of participants nor the choice of classes or runs. Members of a family share
a part of every draw that makes them who they are.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from fmridecode.experiments.contrasts import all_tasks
from fmridecode.experiments.regions import Region, all_regions, common_networks
from fmridecode.experiments.study import SimulationConfig
from fmridecode.experiments.variety import (
    Acquisition,
    Expression,
    make_acquisition,
    make_expression,
)

Purpose = Literal[
    "family",
    "region",
    "gain",
    "network",
    "baseline",
    "noise",
    "acquisition",
    "expression",
    "contrast",
    "background",
    "distortion",
]
STREAMS: tuple[Purpose, ...] = get_args(Purpose)
OWN, FAMILY = 0, 1


def stream(seed: int, purpose: Purpose, *key: int) -> np.random.Generator:
    """Return the random stream of one purpose and key; streams are independent of each other."""
    spawn_key = (STREAMS.index(purpose), *key)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=spawn_key))


@dataclass(frozen=True, slots=True, kw_only=True)
class Individual:
    """One participant.

    Parameters
    ----------
    config
        The study.
    number, family
        Both counted from 1.
    acquisition
        What all maps of the participant have in common.
    deviations
        Standard normal draws ``(regions, 6)``: place (3), extent, height, presence.
    """

    config: SimulationConfig
    number: int
    family: int
    acquisition: Acquisition
    deviations: NDArray[np.float32]

    @property
    def label(self) -> str:
        """The label of the participant, without ``sub-``."""
        return f"{self.number:03d}"

    @property
    def family_label(self) -> str:
        """The label of the family."""
        return f"F{self.family:03d}"

    def expression(self, task: str) -> Expression:
        """Return how this participant's maps of a task were analysed."""
        rng = stream(self.config.seed, "expression", self.number, all_tasks().index(task))
        return make_expression(rng, variety=self.config.variety)

    def centre(self, index: int, region: Region) -> tuple[float, float, float]:
        """Return where the participant has a region, in millimetres."""
        x, y, z = np.asarray(region.centre) + self.config.shift * self.deviations[index, :3]
        return self.acquisition.place((float(x), float(y), float(z)))

    def extent(self, index: int) -> float:
        """Return the full width at half maximum of the participant's region."""
        return self.width(float(self.deviations[index, 3]))

    def width(self, normal: float) -> float:
        """Return the full width at half maximum of a region, by its standard normal draw."""
        usual = self.config.extent * self.acquisition.smoothness * self.acquisition.extent
        return usual * log_normal(normal, self.config.extent_sd)

    def height(self, index: int, region: Region, task: str, expression: Expression) -> float:
        """Return how strongly a task activates the participant's region; 0 where it is absent.

        Common regions respond to every task alike, so that they tell nothing about the class.
        """
        height = self.config.amplitude * self.config.balance(region.kind) * region.weight
        height *= self.acquisition.contrast
        height *= log_normal(float(self.deviations[index, 4]), self.config.amplitude_sd)
        presence = float(ndtr(self.deviations[index, 5]))
        if region.kind == "common":
            return height if presence >= self.config.dropout else 0.0
        key = all_tasks().index(task)
        odds = stream(self.config.seed, "expression", self.number, key, index).uniform(size=2)
        if presence < self.config.dropout or odds[0] < expression.dropout:
            return 0.0
        sign = -1 if odds[1] < expression.deactivation else 1
        return height * self.gain(task) * sign

    def gain(self, task: str) -> float:
        """Return the factor by which the participant responds to a whole task."""
        return log_normal(
            float(self.normal("gain", (), all_tasks().index(task))), self.config.gain_sd
        )

    def fluctuation(self, region: Region, task: str) -> float:
        """Return the height that a common region has during a task, whatever the task is."""
        key = all_tasks().index(task), common_networks().index(region.group)
        draw = float(self.normal("network", (), *key))
        return self.config.amplitude * self.config.network_sd * region.weight * draw

    def baseline(self, task: str) -> float:
        """Return the constant that the participant's maps of a task contain."""
        return self.config.baseline_sd * float(
            self.normal("baseline", (), all_tasks().index(task))
        )

    def normal(self, purpose: Purpose, shape: tuple[int, ...], *key: int) -> NDArray[np.float32]:
        """Draw standard normal values, a part of which the whole family shares."""
        return _normal(self.config, purpose, shape, self.number, self.family, *key)

    def own_normal(
        self, purpose: Purpose, shape: tuple[int, ...], *key: int
    ) -> NDArray[np.float32]:
        """Draw standard normal values that nobody shares."""
        rng = stream(self.config.seed, purpose, OWN, self.number, *key)
        return rng.standard_normal(shape, dtype=np.float32)


def individuals(config: SimulationConfig) -> Iterator[Individual]:
    """Yield the participants of a study."""
    shape = (len(all_regions()), 6)
    families = _families(config)
    for number in range(1, config.participants + 1):
        family = next(families)
        yield Individual(
            config=config,
            number=number,
            family=family,
            acquisition=make_acquisition(
                stream(config.seed, "acquisition", number), variety=config.variety
            ),
            deviations=_normal(config, "region", shape, number, family),
        )


def _families(config: SimulationConfig) -> Iterator[int]:
    rng = stream(config.seed, "family")
    family = 0
    while True:
        family += 1
        for _ in range(int(rng.integers(1, config.largest_family, endpoint=True))):
            yield family


def _normal(
    config: SimulationConfig,
    purpose: Purpose,
    shape: tuple[int, ...],
    number: int,
    family: int,
    *key: int,
) -> NDArray[np.float32]:
    own = stream(config.seed, purpose, OWN, number, *key)
    kin = stream(config.seed, purpose, FAMILY, family, *key)
    weights = np.sqrt(np.array([1 - config.family_share, config.family_share], dtype=np.float32))
    draws = [np.asarray(rng.standard_normal(shape, dtype=np.float32)) for rng in (own, kin)]
    return np.asarray(weights[0] * draws[0] + weights[1] * draws[1], dtype=np.float32)


def log_normal(normal: float, sd: float) -> float:
    """Return a factor of mean 1 whose logarithm has this SD."""
    return float(np.exp(sd * normal - sd**2 / 2))
