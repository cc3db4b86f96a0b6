"""The brain regions that simulated maps activate, and which classes activate them.

The coordinates are read from ``data/regions.toml``; the README beside it names their sources.
"""

import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Literal

DOMAINS = ("emotion", "gambling", "language", "motor", "relational", "social", "wm")
"""The seven task domains of the Human Connectome Project, in the order of their labels."""

Kind = Literal["specific", "shared", "common"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One centre of activation.

    Parameters
    ----------
    name
        Unique among all regions, such as ``shared.affect.0``.
    kind
        ``specific`` to one class, ``shared`` by two or three, or ``common`` to all.
    classes
        The domains that activate it.
    centre
        Millimetres in MNI space.
    weight
        Height relative to the strongest region of its group; negative for a deactivation.
    """

    name: str
    kind: Kind
    classes: tuple[str, ...]
    centre: tuple[float, float, float]
    weight: float

    @property
    def group(self) -> str:
        """The name without its number, such as ``shared.affect``."""
        return self.name.rsplit(".", 1)[0]

    @property
    def mirrored(self) -> "Region":
        """The same region in the other hemisphere."""
        x, y, z = self.centre
        return replace(self, centre=(-x, y, z))


@cache
def all_regions() -> tuple[Region, ...]:
    """Return every region: those of the domains, then the shared, then the common ones."""
    text = files("fmridecode.experiments").joinpath("data", "regions.toml").read_text("utf-8")
    table = tomllib.loads(text)
    found: list[Region] = []
    for name in DOMAINS:
        found += _group(f"specific.{name}", "specific", (name,), table["domains"][name]["peaks"])
    for name, group in table["shared"].items():
        found += _group(f"shared.{name}", "shared", tuple(group["classes"]), group["peaks"])
    for name, group in table["common"].items():
        found += _group(f"common.{name}", "common", DOMAINS, group["peaks"])
    return tuple(found)


@cache
def common_networks() -> tuple[str, ...]:
    """Return the groups of regions that every class has in common."""
    return tuple(dict.fromkeys(each.group for each in all_regions() if each.kind == "common"))


def _group(
    name: str, kind: Kind, classes: tuple[str, ...], peaks: list[list[float]]
) -> list[Region]:
    return [
        Region(
            name=f"{name}.{i}",
            kind=kind,
            classes=classes,
            centre=(float(x), float(y), float(z)),
            weight=weight,
        )
        for i, (x, y, z, weight) in enumerate(peaks)
    ]
