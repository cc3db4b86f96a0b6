"""The paper's Figure 3 of one example: every class's map, and the activation it should show."""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fmridecode.bids.derivatives import map_path, read_table, table_path, write_map
from fmridecode.bundles.bundle import Bundle
from fmridecode.core.criteria import score
from fmridecode.core.maps import MapSet
from fmridecode.core.truth import ClassMaps
from fmridecode.pipeline.participant.alignment import own_activation
from fmridecode.pipeline.participant.decode import Decoded, decode
from fmridecode.pipeline.participant.explain import Explained, explain
from fmridecode.pipeline.turns import Turn

SUFFIX = "panel"
_PATTERN = f"**/*_{SUFFIX}.nii.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Volume:
    """One map of a panel: its values within the mask, and what it is."""

    values: NDArray[np.floating]
    said: dict[str, object]


class Panels:
    """Gathers the panels of a participant while the methods come one after the other.

    Parameters
    ----------
    maps
        All maps, with the decoder's classes.
    participant
        Whose.
    only
        The classes for which the participant is typical; None for a panel of every class.
    """

    def __init__(self, maps: MapSet, participant: str, *, only: Collection[int] | None) -> None:
        self._maps = maps
        self._participant = participant
        self._typical = only is not None
        wanted = set(range(len(maps.classes))) if only is None else set(only)
        if wanted and self._truth.n_classes < 2:
            wanted = set()
        self._volumes: dict[int, list[_Volume]] = {
            int(index): []
            for index in maps.where({participant})
            if maps.examples[index].label in wanted
        }

    @cached_property
    def _truth(self) -> ClassMaps:
        return own_activation(self._maps, self._participant)

    def add(self, part: Explained) -> None:
        """Keep the maps of the examples that panels are made of, within the mask."""
        for position, index in enumerate(part.indices):
            if int(index) in self._volumes:
                label = self._maps.examples[index].label
                self._volumes[int(index)] += _saliency(
                    part, position, label, self._truth, self._maps
                )

    def write(self, bundle: Bundle, decoded: Decoded, output_dir: Path) -> list[Path]:
        """Write the panels, the activation last, and return their files."""
        paths = []
        for index, volumes in self._volumes.items():
            label = self._maps.examples[index].label
            everything = [*volumes, *_activation(label, self._truth, self._maps)]
            paths.append(
                _write(
                    everything, index, self._maps, bundle, decoded, output_dir,
                    typical=self._typical,
                )
            )  # fmt: skip
        return paths


def write_typical_panels(
    turns: Iterable[Turn],
    maps: MapSet,
    output_dir: Path,
    typical: dict[int, str],
    *,
    device: torch.device,
) -> None:
    """Explain a typical participant of every class once more, and write the panel.

    Parameters
    ----------
    typical
        Class to participant, see `choose_typical`; the turns are theirs.
    """
    _remove_typical(output_dir)
    for turn in turns:
        for participant in turn.participants:
            decoded = decode(
                turn.bundle, maps, participant, fold=turn.fold,
                seen_in_training=participant in turn.seen, device=device,
            )  # fmt: skip
            labels = {k for k, who in typical.items() if who == participant}
            panels = Panels(maps, participant, only=labels)
            for part in explain(turn.bundle, maps, decoded, turn.config, device=device):
                panels.add(part)
            panels.write(turn.bundle, decoded, output_dir)


def choose_typical(
    output_dir: Path, participants: Sequence[str], names: Sequence[str], method: str
) -> dict[int, str]:
    """Return, for every class, the participant whose CIA is the median.

    Sessions are averaged; of an even number, the lower of the middle two is taken. Nobody whom
    the decoder was trained on is chosen.

    Parameters
    ----------
    participants
        Among whom to choose, without ``sub-``; their scores have been written.
    names
        The classes, in the order of the labels.
    method
        Whose CIA counts.
    """
    unseen = [who for who in participants if not _was_seen(output_dir, who)]
    paths = (table_path(output_dir, who, "desc-interpretability_scores") for who in unseen)
    tables = [table for path in paths if path.exists() and len(table := read_table(path))]
    if not tables:
        return {}
    scores = pd.concat(tables, ignore_index=True)
    scores = scores[(scores["criterion"] == "CIA") & (scores["method"] == method)]
    means = scores.groupby(["label", "participant_id"])["pearson_r"].mean().dropna()
    chosen = {}
    for k, name in enumerate(names):
        if name in means.index.get_level_values("label"):
            ranked = means.loc[name].sort_values(kind="stable")
            chosen[k] = str(ranked.index[(len(ranked) - 1) // 2]).removeprefix("sub-")
    return chosen


def _was_seen(output_dir: Path, participant: str) -> bool:
    path = table_path(output_dir, participant, "desc-decoding_predictions")
    return path.exists() and bool(read_table(path)["seen_in_training"].any())


def _saliency(
    part: Explained, position: int, label: int, truth: ClassMaps, maps: MapSet
) -> Iterator[_Volume]:
    """Yield the maps of the classes that the participant has, each with its correlation."""
    inside = part.saliency[position].astype(np.float64)
    found = {each.target: each for each in score(inside, label, truth)}
    for k in np.flatnonzero(truth.present):
        rms = float(np.sqrt(np.mean(inside[k] ** 2)))
        r = found[int(k)].pearson_r
        yield _Volume(
            values=(inside[k] / rms if rms > 0 else inside[k]).astype(np.float32),
            said={
                "Kind": "saliency",
                "SaliencyMethod": part.method,
                "TargetClass": maps.class_names[k],
                "Criterion": found[int(k)].criterion,
                "PearsonR": round(r, 6) if np.isfinite(r) else None,
            },
        )


def _activation(label: int, truth: ClassMaps, maps: MapSet) -> Iterator[_Volume]:
    """Yield what each class's map should resemble."""
    for k in np.flatnonzero(truth.present):
        own = int(k) == label
        yield _Volume(
            values=truth.informative(label) if own else truth.difference(int(k), label),
            said={
                "Kind": "activation" if own else "difference",
                "TargetClass": maps.class_names[k],
            },
        )


def _write(
    volumes: Sequence[_Volume],
    index: int,
    maps: MapSet,
    bundle: Bundle,
    decoded: Decoded,
    output_dir: Path,
    *,
    typical: bool,
) -> Path:
    example = maps.examples[index]
    shown = maps.called(example)
    path = map_path(
        output_dir,
        participant=example.participant,
        session=example.session,
        task=shown.task,
        contrast=shown.contrast,
        grid=maps.grid,
        description="saliency",
        suffix=SUFFIX,
    )
    values = np.zeros((*maps.grid.shape, len(volumes)), dtype=np.float32)
    for position, volume in enumerate(volumes):
        values[maps.mask, position] = volume.values
    sidecar: dict[str, object] = {
        "Description": "Saliency of every class given one example, by every method, and the "
        "participant's own activation that it should resemble (McClure et al. 2020, Figure 3). "
        "One volume each.",
        "TrueClass": maps.class_names[example.label],
        "Typical": typical,
        "Volumes": [volume.said for volume in volumes],
        "Kinds": {
            "saliency": "Divided by its root mean square over the mask. PearsonR is its "
            "correlation with the volume of the same TargetClass that is no saliency, over the "
            "voxels of the mask.",
            "activation": "The participant's mean map of the class minus the mean over classes.",
            "difference": "The participant's mean map of the class minus that of the true class.",
        },
        "Sources": list(example.sources),
        "DecoderHash": bundle.hash,
        "TrainedOnParticipant": decoded.seen_in_training,
        "Mask": maps.mask_source,
    }
    write_map(path, values, grid=maps.grid, mask=maps.mask, sidecar=sidecar)
    return path


def _remove_typical(output_dir: Path) -> None:
    """Remove panels of participants who were typical before; those asked for stay."""
    for path in output_dir.glob(f"sub-*/{_PATTERN}"):
        sidecar = path.with_name(path.name.removesuffix(".nii.gz") + ".json")
        try:
            typical = json.loads(sidecar.read_text(encoding="utf-8"))["Typical"]
        except (OSError, ValueError, KeyError, TypeError):
            typical = True  # a panel that says nothing of itself
        if typical:
            path.unlink(missing_ok=True)
            sidecar.unlink(missing_ok=True)
