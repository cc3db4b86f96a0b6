"""The decoders of a cross-validation on disk: which participants each one saw."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fmridecode.bids.atomic import write_atomically
from fmridecode.bids.class_file import read_classes
from fmridecode.bids.derivatives import read_table, write_table
from fmridecode.bids.labels import camel, listing, normal
from fmridecode.bundles.bundle import Bundle, load
from fmridecode.bundles.files import CONFIG
from fmridecode.bundles.locate import FOLDS
from fmridecode.config import RunConfig
from fmridecode.core.maps import MapClass, MapSet
from fmridecode.core.splits import Split
from fmridecode.errors import BadDataError, UsageError

BASELINE = "baseline"
PERMUTED = "permuted-labels"
RECIPE = "recipe.json"

FOLDS_DICTIONARY = {
    "fold": "Number of the fold, from 1.",
    "participant_id": "Participant label.",
    "role": "train: fitted the weights; validation: chose the epoch and the temperature; "
    "test: seen by this fold's decoder at no time.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Folds:
    """A cross-validation's decoders under ``models/<name>``.

    Parameters
    ----------
    folder
        The folder of all folds.
    splits
        Who trained, validated and tested each fold, in the order of the folds.
    classes
        What the decoders' logits stand for.
    """

    folder: Path
    splits: tuple[Split, ...]
    classes: tuple[MapClass, ...]

    def fold_folder(self, fold: int) -> Path:
        """Return the bundle's folder of a fold, counted from 1."""
        return self.folder / f"fold-{fold}"

    def finished(self) -> list[int]:
        """Return the folds that have a finished decoder."""
        numbers = range(1, len(self.splits) + 1)
        return [fold for fold in numbers if (self.fold_folder(fold) / CONFIG).exists()]

    def wanted(self, config: RunConfig) -> list[int]:
        """Return the folds of ``--fold``, or all.

        Raises
        ------
        UsageError
            When there is no such fold.
        """
        wanted = sorted(set(config.execution.fold)) or list(range(1, len(self.splits) + 1))
        if wanted[-1] > len(self.splits):
            raise UsageError(f"--fold is {wanted[-1]}; there are {len(self.splits)} folds.")
        return wanted

    def complete(self) -> bool:
        """Whether every fold has a finished decoder."""
        return len(self.finished()) == len(self.splits)

    def testing(self, participant: str, families: Mapping[str, str]) -> int | None:
        """Return the fold whose decoder has not seen this participant, None when all have.

        Someone who came after the training goes to a fold that has not seen the family either.
        """
        family = families.get(participant)
        related = [who for who, name in families.items() if family and name == family]
        for fold, split in enumerate(self.splits, start=1):
            if all(split.role(who) in ("test", "") for who in (participant, *related)):
                return fold
        return None

    def load(self, fold: int, *, device: torch.device) -> Bundle:
        """Read a fold's decoder."""
        return load(self.fold_folder(fold), device=device)

    def baseline(self) -> "Folds":
        """Return the linear decoders to compare with, of the same participants and classes."""
        return replace(self, folder=self.folder / BASELINE)

    def permuted(self) -> "Folds":
        """Return the decoders trained on permuted labels, of the same participants."""
        return replace(self, folder=self.folder / PERMUTED)

    def check_everyone(self, maps: MapSet) -> None:
        """Raise a BadDataError unless there are maps of all who train, validate and test."""
        there = set(maps.participants)
        roles = ("train", "validation", "test")
        known = {who for split in self.splits for role in roles for who in getattr(split, role)}
        if absent := known - there:
            raise BadDataError(
                f"{self.folder} still has to be trained, on the participants of its {FOLDS}, but "
                f"there are no usable maps of {listing(absent)}: run without --participant-label, "
                "mend their maps, or remove that folder to train with those who are there."
            )

    def aligned(self, maps: MapSet) -> MapSet:
        """Return the maps with the decoders' own classes, whichever of them are there.

        Raises
        ------
        UsageError
            When there are maps of a class that the decoders do not know.
        """
        known = {normal(each.name): k for k, each in enumerate(self.classes)}
        strange = [name for name in maps.class_names if normal(name) not in known]
        if strange:
            raise UsageError(
                f"There are maps of {', '.join(strange)}, but the decoders in {self.folder} know "
                f"{', '.join(each.name for each in self.classes)} only: leave those maps out "
                "(--task-id, --bids-filter-file), or use another OUTPUT_DIR."
            )
        labels = [known[normal(name)] for name in maps.class_names]
        examples = tuple(replace(each, label=labels[each.label]) for each in maps.examples)
        said = dict(zip(map(normal, maps.class_names), maps.origin.definitions, strict=False))
        definitions = tuple(said.get(normal(each.name), "") for each in self.classes)
        origin = replace(maps.origin, definitions=definitions if said else ())
        return replace(maps, classes=self.classes, examples=examples, origin=origin)


def check_same_voxels(bundle: Bundle, maps: MapSet) -> None:
    """Raise a BadDataError unless the decoder was trained on the voxels of these maps."""
    decoder = bundle.decoder
    same_grid = maps.grid.equals(decoder.grid.shape, decoder.grid.matrix)
    if same_grid and np.array_equal(decoder.model.mask.cpu().numpy(), maps.mask):
        return
    raise BadDataError(
        f"{bundle.path} was trained on other voxels than these maps have: its mask is "
        f"{decoder.mask_source}, theirs {maps.mask_source}. Use the TEMPLATEFLOW_HOME of the "
        "training, or train again in another OUTPUT_DIR."
    )


def model_name(config: RunConfig) -> str:
    """Return the name of the folder under ``models/``."""
    name = f"{config.model.architecture}-{config.training.scheme}"
    column = config.input.target_column
    return f"{name}-{camel(column)}" if column else name


def recipe(config: RunConfig) -> dict[str, object]:
    """Return the settings that decide what a decoder becomes, besides the data."""
    decisive = ("space", "model", "training", "split")
    everything = asdict(config)
    settings: dict[str, object] = {name: everything[name] for name in decisive}
    settings["label_by"] = config.input.label_by
    if config.input.classes:
        settings["definitions"] = [asdict(each) for each in read_classes(config.input.classes)]
    if config.input.target_column:
        settings["target_column"] = config.input.target_column
    settings["stat"] = config.input.stat
    settings["random_seed"] = config.execution.random_seed
    text = json.dumps(settings, sort_keys=True)
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), **json.loads(text)}


def save_folds(
    folder: Path, splits: list[Split], classes: tuple[MapClass, ...], config: RunConfig
) -> Folds:
    """Write the recipe, and then who has which role in which fold."""
    rows = [
        {"fold": fold, "participant_id": participant, "role": role}
        for fold, split in enumerate(splits, start=1)
        for role in ("train", "validation", "test")
        for participant in getattr(split, role)
    ]
    said = {**recipe(config), "classes": [asdict(each) for each in classes]}
    write_atomically(folder / RECIPE, json.dumps(said, indent=2).encode())
    write_table(folder / FOLDS, pd.DataFrame(rows), FOLDS_DICTIONARY)
    return Folds(folder=folder, splits=tuple(splits), classes=classes)


def check_one_kind(output_dir: Path, config: RunConfig) -> None:
    """Make sure that the results in OUTPUT_DIR are those of one kind of decoder.

    Raises
    ------
    UsageError
        When OUTPUT_DIR already has decoders of another name: their tables would be mixed.
    """
    name = model_name(config)
    others = sorted(each.parent.name for each in (output_dir / "models").glob(f"*/{FOLDS}"))
    if others and name not in others:
        raise UsageError(
            f"{output_dir} holds the results of {', '.join(others)}, and {name} is asked for; one "
            "OUTPUT_DIR is for one kind of decoder: name another, or repeat that run's "
            "--architecture, --training and --target-column."
        )


def find_folds(output_dir: Path, config: RunConfig) -> Folds | None:
    """Return the decoders that OUTPUT_DIR already has, None when there are none.

    Raises
    ------
    UsageError
        When the decoders of that name were made with other settings.
    """
    folder = output_dir / "models" / model_name(config)
    if not (folder / FOLDS).exists():
        return None
    folds, known = _read(folder)
    wanted = recipe(config)
    if known.get("sha256") != wanted["sha256"]:
        differing = [
            name for name in wanted if name != "sha256" and known.get(name) != wanted[name]
        ]
        raise UsageError(
            f"{folder} holds decoders trained with other settings ({', '.join(differing)}); "
            "use another OUTPUT_DIR, or remove that folder to train again."
        )
    return folds


def read_folds(folder: Path) -> Folds:
    """Read who trained and who tested the decoders of another run.

    Parameters
    ----------
    folder
        Its ``models/<name>``.
    """
    return _read(folder)[0]


def _read(folder: Path) -> tuple[Folds, dict[str, object]]:
    try:
        known = json.loads((folder / RECIPE).read_text(encoding="utf-8"))
        classes = tuple(MapClass(**each) for each in known["classes"])
        table = read_table(folder / FOLDS)
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise BadDataError(
            f"{folder} is damaged ({problem}); remove it, and the decoders are trained again."
        ) from None
    return Folds(folder=folder, splits=_splits(table), classes=classes), known


def _splits(table: pd.DataFrame) -> tuple[Split, ...]:
    def members(fold: pd.DataFrame, role: str) -> tuple[str, ...]:
        return tuple(fold.loc[fold["role"] == role, "participant_id"].astype(str))

    return tuple(
        Split(
            train=members(fold, "train"),
            validation=members(fold, "validation"),
            test=members(fold, "test"),
        )
        for _, fold in table.groupby("fold", sort=True)
    )
