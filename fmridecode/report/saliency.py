"""A saliency map on disk, and what its sidecar says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fmridecode.report.table import read_json
from fmridecode.report.words import METHODS

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SaliencyMap:
    """One NIfTI file of saliency.

    Parameters
    ----------
    path
        The NIfTI file.
    method, target
        How it was computed, and of which class.
    true_label
        The class of the map that was explained; empty where the sidecar does not say.
    n_participants
        How many participants a mean map is of; None for one participant's map.
    sidecar
        All of the JSON beside it.
    """

    path: Path
    method: str
    target: str
    true_label: str
    n_participants: int | None
    sidecar: dict[str, Any]

    @property
    def is_copy(self) -> bool:
        """Whether it is another map of this folder, resampled."""
        return "ResampledFrom" in self.sidecar

    @property
    def stranger(self) -> str:
        """The map's own class where the decoder does not know it, else empty."""
        return "" if self.true_label else str(self.sidecar.get("DataClass", ""))

    @property
    def explains_truth(self) -> bool:
        """Whether the map is of the class that the explained map really belongs to.

        Of a class that the decoder does not know, the class that it was decoded as stands in.
        """
        if self.true_label:
            return self.true_label == self.target
        if self.stranger:
            return True
        labels = {
            value
            for key, value in re.findall(r"(task|contrast)-([^_]+)", self.path.name)
            if _plain(value)
        }
        return not labels or any(_plain(value) in _plain(self.target) for value in labels)

    def at(self, path: Path) -> SaliencyMap:
        """Return the same map's statistic, which lies elsewhere."""
        return replace(self, path=path)


def in_order(maps: tuple[SaliencyMap, ...], classes: tuple[str, ...]) -> tuple[SaliencyMap, ...]:
    """Sort maps by class, in the order given, then by method, the plain ones first."""
    methods = tuple(METHODS)

    def rank(each: SaliencyMap) -> tuple[int, str, int, str]:
        by_class = classes.index(each.target) if each.target in classes else len(classes)
        by_method = methods.index(each.method) if each.method in methods else len(methods)
        return by_class, each.target, by_method, each.path.name

    return tuple(sorted(maps, key=rank))


def find_maps(folder: Path, pattern: str) -> tuple[SaliencyMap, ...]:
    """Return the saliency maps in a folder whose sidecars name method and class."""
    found = []
    for path in sorted(folder.glob(pattern)):
        sidecar = read_json(path.with_name(path.name.removesuffix(".nii.gz") + ".json"))
        if "SaliencyMethod" not in sidecar or "TargetClass" not in sidecar:
            continue
        count = sidecar.get("NumberOfParticipants")
        found.append(
            SaliencyMap(
                path=path,
                method=str(sidecar["SaliencyMethod"]),
                target=str(sidecar["TargetClass"]),
                true_label=str(sidecar.get("TrueClass", "")),
                n_participants=None if count is None else int(count),
                sidecar=sidecar,
            )
        )
    return tuple(found)


def find_number_maps(folder: Path, pattern: str) -> tuple[SaliencyMap, ...]:
    """Return the maps whose sidecars name a number, without copies on another grid.

    The target is the number; what is no saliency map is of the method ``voxelwise regression``.
    """
    found = []
    for path in sorted(folder.glob(pattern)):
        sidecar = read_json(path.with_name(path.name.removesuffix(".nii.gz") + ".json"))
        if "TargetColumn" in sidecar and "ResampledFrom" not in sidecar:
            count = sidecar.get("NumberOfParticipants")
            found.append(
                SaliencyMap(
                    path=path,
                    method=str(sidecar.get("SaliencyMethod", "voxelwise regression")),
                    target=str(sidecar["TargetColumn"]),
                    true_label="",
                    n_participants=None if count is None else int(count),
                    sidecar=sidecar,
                )
            )
    return tuple(found)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
