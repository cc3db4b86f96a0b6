"""The participants' maps of one class by one method, on top of each other."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.images import read_image
from fmridecode.core.grid import Grid, as_rows
from fmridecode.errors import BadDataError
from fmridecode.pipeline.memory import Work

ENDING = "_saliency.nii.gz"

Members = Mapping[str, Sequence[Path]]
"""Participant, with ``sub-``, to the participant's maps of all sessions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """One map of every participant, each participant once.

    Parameters
    ----------
    name
        File name of the group map.
    values
        ``(participants, *grid)``, sessions averaged.
    participants
        With ``sub-``, in the same order.
    decoders
        Hash of the decoder that made each participant's map; empty where it is not known.
    sources
        All files behind them.
    grid
        Where the voxels lie.
    said
        The sidecar of the first map; what it says of method and class holds for all.
    """

    name: str
    values: NDArray[np.float32]
    participants: tuple[str, ...]
    decoders: tuple[str, ...]
    sources: tuple[Path, ...]
    grid: Grid
    said: Mapping[str, object]

    @property
    def covered(self) -> NDArray[np.bool_]:
        """Where at least one participant has a value."""
        covered: NDArray[np.bool_] = (self.values != 0).any(axis=0)
        return covered

    @property
    def mean(self) -> NDArray[np.float64]:
        """The mean over participants, on the grid."""
        mean: NDArray[np.float64] = self.values.mean(axis=0, dtype=np.float64)
        return mean

    @property
    def is_of_interest(self) -> bool:
        """Whether the true class is explained, or a difference that the user asked for.

        Copies on another grid are not: the maps on the decoder's own grid are tested.
        """
        return not self.is_copy and (self.label == self.target or ">" in self.target)

    @property
    def is_copy(self) -> bool:
        """Whether the maps are others of OUTPUT_DIR, resampled."""
        return "ResampledFrom" in self.said

    @property
    def label(self) -> str:
        """True class of the maps that are explained."""
        return str(self.said.get("TrueClass", ""))

    @property
    def target(self) -> str:
        """Class, or difference of two, whose probability is explained."""
        return str(self.said.get("TargetClass", ""))

    @property
    def method(self) -> str:
        """Saliency method."""
        return str(self.said.get("SaliencyMethod", ""))


def find_members(output_dir: Path) -> dict[str, Members]:
    """Return the maps that differ in nothing but participant and session, by group name.

    Maps by decoders that were trained on the participant are left out.
    """
    found: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(output_dir.glob(f"sub-*/**/*{ENDING}")):
        parts = path.name.split("_")
        name = "_".join(["group", *(p for p in parts if not p.startswith(("sub-", "ses-")))])
        if not read_sidecar(path).get("TrainedOnParticipant", False):
            found[name][parts[0]].append(path)
    return dict(found)


def methods_of(found: Mapping[str, Members]) -> set[str]:
    """Return the saliency methods of the maps."""
    first = (next(iter(members.values()))[0] for members in found.values())
    return {str(read_sidecar(path).get("SaliencyMethod", "")) for path in first}


def work_of_group(output_dir: Path) -> Work:
    """Return what the largest group map needs: one image of each is opened."""
    works = [
        Work(voxels=read_image(next(iter(each.values()))[0])[0].size, n_participants=len(each))
        for each in find_members(output_dir).values()
    ]
    return max(works, key=lambda each: each.voxels * each.n_participants, default=Work())


def read_stack(name: str, members: Members) -> Stack:
    """Read the maps of one group map.

    Raises
    ------
    BadDataError
        One cannot be read, or they lie on different grids.
    """
    first = next(iter(members.values()))[0]
    shape, affine = (lambda image: (image[0].shape, image[1]))(read_image(first))
    values = np.empty((len(members), *shape), dtype=np.float32)
    for position, paths in enumerate(members.values()):
        images = [read_image(each) for each in paths]
        for each, (own, other) in zip(paths, images, strict=True):
            if own.shape != shape or not np.allclose(other, affine, atol=1e-4):
                raise BadDataError(
                    f"{each} lies on another grid than {first}: one OUTPUT_DIR holds one grid; "
                    "run the participant level again for one of them."
                )
        values[position] = np.mean([own for own, _ in images], axis=0, dtype=np.float64)
    labels = dict(part.split("-", 1) for part in first.name.split("_") if "-" in part)
    return Stack(
        name=name,
        values=values,
        participants=tuple(members),
        decoders=tuple(
            str(read_sidecar(paths[0]).get("DecoderHash", "")) for paths in members.values()
        ),
        sources=tuple(each for paths in members.values() for each in paths),
        grid=Grid(
            shape=shape, affine=as_rows(affine), space=labels["space"], resolution=labels["res"]
        ),
        said=read_sidecar(first),
    )


def read_sidecar(path: Path) -> dict[str, object]:
    """Return what the JSON beside a map, or a table, says.

    Raises
    ------
    BadDataError
        It is missing or damaged.
    """
    sidecar = path.with_name(path.name.partition(".")[0] + ".json")
    try:
        content: dict[str, object] = json.loads(sidecar.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise BadDataError(
            f"{sidecar} cannot be read ({problem}): run the participant level again for it."
        ) from None
    return content
