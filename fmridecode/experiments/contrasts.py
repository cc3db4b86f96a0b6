"""The contrasts by which different laboratories show a domain, and maps of no domain at all.

The coordinates are read from ``data/contrasts.toml``. A `Stranger` is a kind of map that is of
none of the seven domains: a decoder of them should not know it.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from fmridecode.experiments.regions import DOMAINS

NOISE, ANYWHERE = "noise", "anywhere"
"""Strangers without coordinates: nothing but noise, and regions at random places."""

BRAIN_CENTRE, BRAIN_RADII = (0.0, -18.0, 8.0), (62.0, 82.0, 58.0)
"""An ellipsoid within the brain, in mm, where regions at random places lie."""

RANDOM_REGIONS = (2, 14)

Centre = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """What is active when one condition is compared with another, or with rest.

    Parameters
    ----------
    name
        Such as ``language.listening``.
    networks
        The strength of each network, and the centres (mm) and weights of its regions.
    reversible
        Whether laboratories compute it either way round.
    """

    name: str
    networks: tuple[tuple[float, tuple[tuple[Centre, float], ...]], ...]
    reversible: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Strangers:
    """Names of the kinds of maps that are of no domain, by what they are for.

    ``train`` may teach a decoder not to be sure; ``calibrate`` sets the threshold of its
    abstention and ``test`` judges it, on kinds that it has not met.
    """

    train: tuple[str, ...]
    calibrate: tuple[str, ...]
    test: tuple[str, ...]


@cache
def contrasts_of(domain: str) -> tuple[Contrast, ...]:
    """Return the contrasts of one of `DOMAINS`."""
    table = _table()
    return tuple(
        _contrast(f"{domain}.{name}", said) for name, said in table["contrasts"][domain].items()
    )


@cache
def strangers() -> Strangers:
    """Return the kinds of maps that are of no domain; noise and random places are for all."""
    table = _table()["strangers"]
    return Strangers(
        train=(NOISE, ANYWHERE, *table["train"]),
        calibrate=(NOISE, ANYWHERE, *table["calibrate"]),
        test=(NOISE, ANYWHERE, *table["test"]),
    )


@cache
def all_tasks() -> tuple[str, ...]:
    """Return everything that can be simulated: the domains, then the strangers."""
    known = strangers()
    return tuple(dict.fromkeys((*DOMAINS, *known.train, *known.calibrate, *known.test)))


@cache
def background() -> tuple[Contrast, ...]:
    """Return the networks that any contrast may show besides what it is about."""
    names = _table()["background"]["networks"]
    return tuple(_contrast(name, {"networks": {name: 1.0}}) for name in names)


def choose_contrast(rng: np.random.Generator, task: str, *, variety: float) -> Contrast | None:
    """Draw the contrast by which a laboratory shows a task.

    None stands for the regions of the domain's meta-analysis, which is all there is without
    variety and a third of the maps at full variety.
    """
    odds, which = rng.uniform(size=2)
    if task == ANYWHERE:
        return _anywhere(rng)
    if task == NOISE:
        return Contrast(name=NOISE, networks=())
    if task not in DOMAINS:
        return _stranger(task)
    if odds >= variety * 2 / 3:
        return None
    known = contrasts_of(task)
    return known[int(which * len(known))]


def _anywhere(rng: np.random.Generator) -> Contrast:
    """Make a network of regions at random places, about half of them in both hemispheres."""
    regions: list[tuple[Centre, float]] = []
    for _ in range(int(rng.integers(*RANDOM_REGIONS))):
        direction = rng.standard_normal(3)
        place = direction / np.linalg.norm(direction) * rng.uniform() ** (1 / 3)
        x, y, z = (
            float(c + r * p) for c, r, p in zip(BRAIN_CENTRE, BRAIN_RADII, place, strict=True)
        )
        weight = float(rng.uniform(0.4, 1.0) * (1 if rng.uniform() < 0.8 else -1))
        regions += [((x, y, z), weight)] + ([((-x, y, z), weight)] if rng.uniform() < 0.5 else [])
    return Contrast(name=ANYWHERE, networks=((1.0, tuple(regions)),))


@cache
def _stranger(name: str) -> Contrast:
    groups = _table()["strangers"].values()
    return _contrast(name, next(group[name] for group in groups if name in group))


@cache
def _table() -> dict[str, Any]:
    text = files("fmridecode.experiments").joinpath("data", "contrasts.toml").read_text("utf-8")
    return tomllib.loads(text)


def _contrast(name: str, said: Mapping[str, Any]) -> Contrast:
    return Contrast(
        name=name,
        networks=tuple(
            (float(strength), _network(network)) for network, strength in said["networks"].items()
        ),
        reversible=bool(said.get("reversible", False)),
    )


def _network(name: str) -> tuple[tuple[Centre, float], ...]:
    said = _table()["networks"][name]
    both = said.get("both", [])
    peaks = [*said.get("peaks", []), *both, *([-x, *rest] for x, *rest in both)]
    return tuple(((float(x), float(y), float(z)), float(w)) for x, y, z, w in peaks)
