"""The decoders of a cross-validation on disk: which participants each one saw."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
import torch

from fmridecode.bids.derivatives import read_table, write_table
from fmridecode.bundles.bundle import CONFIG, Bundle, load
from fmridecode.config import RunConfig
from fmridecode.core.splits import Split
from fmridecode.errors import BadDataError, UsageError

FOLDS = "folds.tsv"
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
    """

    folder: Path
    splits: tuple[Split, ...]

    def fold_folder(self, fold: int) -> Path:
        """Return the bundle's folder of a fold, counted from 1."""
        return self.folder / f"fold-{fold}"

    def complete(self) -> bool:
        """Whether every fold has a finished decoder."""
        return all(
            (self.fold_folder(fold) / CONFIG).exists() for fold in range(1, len(self.splits) + 1)
        )

    def testing(self, participant: str) -> int | None:
        """Return the fold whose decoder has not seen this participant, None when all have."""
        for fold, split in enumerate(self.splits, start=1):
            if split.role(participant) in ("test", ""):
                return fold
        return None

    def load(self, fold: int, *, device: torch.device) -> Bundle:
        """Read a fold's decoder."""
        return load(self.fold_folder(fold), device=device)


def model_name(config: RunConfig) -> str:
    """Return the name of the folder under ``models/``."""
    return f"{config.model.architecture}-{config.training.scheme}"


def recipe(config: RunConfig) -> dict[str, object]:
    """Return the settings that decide what a decoder becomes, besides the data."""
    decisive = ("space", "model", "training", "split")
    everything = asdict(config)
    settings: dict[str, object] = {name: everything[name] for name in decisive}
    settings["label_by"] = config.input.label_by
    settings["stat"] = config.input.stat
    settings["random_seed"] = config.execution.random_seed
    text = json.dumps(settings, sort_keys=True)
    return {"sha256": hashlib.sha256(text.encode()).hexdigest(), **json.loads(text)}


def save_folds(folder: Path, splits: list[Split], config: RunConfig) -> Folds:
    """Write who has which role in which fold, and the recipe."""
    rows = [
        {"fold": fold, "participant_id": participant, "role": role}
        for fold, split in enumerate(splits, start=1)
        for role in ("train", "validation", "test")
        for participant in getattr(split, role)
    ]
    write_table(folder / FOLDS, pd.DataFrame(rows), FOLDS_DICTIONARY)
    (folder / RECIPE).write_text(json.dumps(recipe(config), indent=2), encoding="utf-8")
    return Folds(folder=folder, splits=tuple(splits))


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
    try:
        known = json.loads((folder / RECIPE).read_text(encoding="utf-8"))
        table = read_table(folder / FOLDS)
    except (OSError, ValueError) as problem:
        raise BadDataError(
            f"{folder} is damaged ({problem}); remove it, and the decoders are trained again."
        ) from None
    wanted = recipe(config)
    if known.get("sha256") != wanted["sha256"]:
        differing = [
            name for name in wanted if name != "sha256" and known.get(name) != wanted[name]
        ]
        raise UsageError(
            f"{folder} holds decoders trained with other settings ({', '.join(differing)}); "
            "use another OUTPUT_DIR, or remove that folder to train again."
        )
    return Folds(folder=folder, splits=_splits(table))


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
