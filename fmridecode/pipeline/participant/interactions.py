"""How parcels interact in the decoder: a matrix for every map and class that is explained."""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from fmridecode.bids.atlas import load_atlas
from fmridecode.bids.derivatives import map_path
from fmridecode.bids.labels import camel, listing
from fmridecode.bids.parcels import Parcels, parcels_within, write_matrix
from fmridecode.config import RunConfig
from fmridecode.core.grid import Grid
from fmridecode.core.hessian import Interactions, interactions
from fmridecode.core.maps import UNKNOWN, MapSet
from fmridecode.core.settings import HESSIAN
from fmridecode.core.softening import Softened, soften
from fmridecode.pipeline.participant.decode import Decoded, batches_of
from fmridecode.pipeline.participant.explain import BATCH, classes_explained
from fmridecode.pipeline.training.train import WORTH_SAYING
from fmridecode.pipeline.turns import Turn

log = logging.getLogger(__name__)

SUFFIX = "interactions"
UNITS = "log-odds of the target class per SD of one parcel and SD of the other"
TRIED = 4
"""Parcels by which the time of all is estimated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A map and the log-odds that are to be explained.

    Parameters
    ----------
    index
        The example in the map set.
    target, against
        The class, and the class against which; None for all others.
    name
        Of the target, as in the names of maps.
    """

    index: int
    target: int
    against: int | None
    name: str


def parcels_asked(config: RunConfig, grid: Grid, mask: NDArray[np.bool_]) -> Parcels | None:
    """Return the parcels of ``--atlas`` in the mask if interactions are asked for; None if not.

    Raises
    ------
    UsageError, NoInputError, BadDataError
        The atlas is not to be had, or not to be used on this grid.
    """
    if HESSIAN not in config.saliency.methods:
        return None
    atlas = load_atlas(config.evaluation.atlas, grid, force_space=config.space.force_space)
    return parcels_within(atlas, mask)


def write_interactions(
    turn: Turn,
    maps: MapSet,
    decoded: Decoded,
    folder: Path,
    parcels: Parcels,
    device: torch.device,
) -> Iterator[Path]:
    """Write the matrix of every map and class that ``--target`` asks for, and yield the files."""
    soft = _softened(turn, maps, decoded, device)
    asked = list(_asked(maps, decoded, turn.config.saliency.target))
    for start in range(0, len(asked), BATCH):
        few = asked[start : start + BATCH]
        found = _computed(turn, soft, maps, few, parcels.labels, device)
        for position, each in enumerate(few):
            yield _write(turn, maps, decoded, folder, parcels, soft, each, found, position)


def announce(
    turn: Turn,
    maps: MapSet,
    decoded: Decoded,
    parcels: Parcels,
    device: torch.device,
    *,
    n_participants: int,
) -> None:
    """Say which parcels are left out and, by a few products, how long all will take, if long."""
    if parcels.outside:
        log.info(
            "%d parcels of %s have no voxel in the brain mask and are left out: %s",
            len(parcels.outside),
            parcels.source,
            listing(parcels.outside),
        )
    soft = _softened(turn, maps, decoded, device)
    asked = list(_asked(maps, decoded, turn.config.saliency.target))
    few = asked[:BATCH]
    tried = np.where(parcels.labels <= TRIED, parcels.labels, 0)
    started = time.monotonic()
    _computed(turn, soft, maps, few, tried, device)
    one = (time.monotonic() - started) / (int(tried.max()) * len(few))
    n = len(asked) * n_participants
    seconds = one * n * len(parcels.names)
    if seconds > WORTH_SAYING:
        log.info(
            "The interactions of %d parcels in about %d maps, %.2g s for a parcel and map, will "
            "take about %d minutes. Shorter: an --atlas of fewer parcels, --target true.",
            len(parcels.names),
            n,
            one,
            round(seconds / 60),
        )


def _softened(turn: Turn, maps: MapSet, decoded: Decoded, device: torch.device) -> Softened:
    x, _ = batches_of(maps, decoded.indices, device).take(slice(None))
    return soften(turn.bundle.decoder.model, x)


def _asked(maps: MapSet, decoded: Decoded, target: str) -> Iterator[Asked]:
    names = maps.class_names
    for index, predicted in zip(decoded.indices, decoded.predicted, strict=True):
        if ">" in target:
            a, b = (names.index(name) for name in target.split(">"))
            yield Asked(index=int(index), target=a, against=b, name=target)
            continue
        label = maps.examples[index].label
        for k in classes_explained(target, label, int(predicted), len(names)):
            yield Asked(index=int(index), target=k, against=None, name=names[k])


def _computed(
    turn: Turn,
    soft: Softened,
    maps: MapSet,
    asked: Sequence[Asked],
    labels: NDArray[np.int64],
    device: torch.device,
) -> Interactions:
    indices = np.array([each.index for each in asked], dtype=np.int64)
    x, _ = batches_of(maps, indices, device).take(slice(None))
    against = [each.against for each in asked if each.against is not None]
    return interactions(
        soft.model,
        x,
        labels,
        turn.bundle.decoder.temperature,
        torch.tensor([each.target for each in asked], device=device),
        torch.tensor(against, device=device) if against else None,
    )


def _write(
    turn: Turn,
    maps: MapSet,
    decoded: Decoded,
    folder: Path,
    parcels: Parcels,
    soft: Softened,
    asked: Asked,
    found: Interactions,
    position: int,
) -> Path:
    example = maps.examples[asked.index]
    shown = maps.called(example)
    path = map_path(
        folder,
        participant=example.participant,
        session=example.session,
        task=shown.task,
        contrast=shown.contrast,
        grid=maps.grid,
        description=camel(HESSIAN, "to", asked.name.replace(">", " minus ")),
        suffix=SUFFIX,
        segmentation=parcels.segmentation,
        extension=".tsv",
    )
    effects = dict(zip(parcels.names, found.effect[position].round(9).tolist(), strict=True))
    about: dict[str, object] = {
        "Description": f"How parcels interact in the decoder's log-odds of {asked.name}, for a "
        f"map of class {shown.name}: the second derivative with respect to raising all voxels of "
        "one parcel and all of the other (on the diagonal, the same one twice).",
        "Units": UNITS,
        "Sign": "Positive where more activation in one parcel makes more activation in the other "
        "speak more for the target class.",
        "Sources": list(example.sources),
        "SaliencyMethod": HESSIAN,
        "TargetClass": asked.name,
        **({"TrueClass": maps.class_names[example.label]} if example.label != UNKNOWN else {}),
        **({"DataClass": shown.name} if example.own else {}),
        "Atlas": parcels.source,
        "ParcelVoxels": dict(zip(parcels.names, parcels.n_voxels, strict=True)),
        "ParcelsOutside": list(parcels.outside),
        "Effects": effects,
        "EffectsUnits": "log-odds of the target class per SD of the parcel",
        "LogOdds": float(found.log_odds[position]),
        "Asymmetry": float(found.asymmetry[position]),
        **_softening(soft),
        "Temperature": turn.bundle.decoder.temperature,
        "DecoderHash": turn.bundle.hash,
        **({"Fold": decoded.fold} if decoded.fold is not None else {}),
        "TrainedOnParticipant": decoded.seen_in_training,
        "ForcedSpace": turn.config.space.force_space,
        "SpaceTransforms": list(example.transforms),
        "Mask": maps.mask_source,
    }
    write_matrix(path, parcels.names, found.matrix[position], about)
    return path


def _softening(soft: Softened) -> dict[str, object]:
    """Say whose curvature it is."""
    if soft.beta is None:
        return {"Activation": "as in the decoder, which has no rectified units"}
    return {
        "Activation": "softplus in place of the rectified units, which have no curvature",
        "SoftplusBeta": soft.beta,
        "SoftplusLogitChange": round(soft.logit_change, 6),
        "SoftplusSameClass": soft.same_class,
    }
