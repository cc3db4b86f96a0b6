"""Decoders as files: what there is, what is in one, whether it is whole, and how to share it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import torch

from fmridecode.bids.atomic import write_atomically
from fmridecode.bids.derivatives import read_table
from fmridecode.bundles.bundle import Bundle, load, packed, save
from fmridecode.bundles.files import CARD, CONFIG, WEIGHTS, read_files
from fmridecode.bundles.locate import locate
from fmridecode.bundles.shipped import shipped
from fmridecode.bundles.zips import write_zip
from fmridecode.core.averaged import averaged
from fmridecode.core.origin import Score
from fmridecode.core.trained import TrainedDecoder
from fmridecode.errors import CannotCreateError, NoInputError, UsageError
from fmridecode.pipeline.group.decoding import metrics_table
from fmridecode.pipeline.group.endings import PREDICTIONS
from fmridecode.pipeline.group.tables import collect, scorable
from fmridecode.pipeline.regression.card import card_scores
from fmridecode.pipeline.training.folds import Folds, read_folds

CPU = torch.device("cpu")
METRICS = "group_desc-decoding_metrics.tsv"
ALIGNMENT = "group_desc-interpretability_summary.tsv"

_MEASURED = (
    "Participants of the training data set, each decoded by the fold that had not seen the "
    "person; the mean of the folds itself was measured on nobody"
)
_TESTED = "Participants of the training data set that neither trained nor validated this decoder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """Text that a model card has from whoever shares the decoder; empty keeps what is there."""

    title: str = ""
    description: str = ""
    limits: str = ""
    licence: str = ""


def listed(output_dir: Path | None) -> pd.DataFrame:
    """Return one row for every shipped decoder, and for every one in an OUTPUT_DIR."""
    found: dict[str, Path] = dict(shipped())
    if output_dir is not None:
        trained = sorted((output_dir / "models").glob(f"*/fold-*/{CONFIG}"))
        if not trained:
            raise NoInputError(f"{output_dir} has no decoders (models/*/fold-*/{CONFIG}).")
        found |= {str(path.parent): path.parent for path in trained}
    columns = ["model", "architecture", "classes", "space", "mm", "maps", "accuracy"]
    return pd.DataFrame([_row(name, path) for name, path in found.items()], columns=columns)


def _row(name: str, path: Path) -> dict[str, object]:
    decoder = load(path, device=CPU).decoder
    number, scores = decoder.number, {s.metric: s.estimate for s in decoder.origin.scores}
    measured = scores.get("accuracy" if number is None else "r2")
    return {
        "model": name,
        "architecture": decoder.model_config.architecture,
        "classes": len(decoder.classes) if number is None else number.target.name,
        "space": decoder.grid.space,
        "mm": f"{abs(decoder.grid.matrix[0, 0]):g}",
        "maps": decoder.n_maps,
        "accuracy": "n/a"
        if measured is None
        else f"{'' if number is None else 'R2 '}{measured:.3f}",
    }


def verified(model: str) -> Iterator[Bundle]:
    """Load every bundle of a decoder, which checks all of it, and yield them."""
    found = locate(model)
    if found.kind == "bundle":
        yield load(found.path, device=CPU)
        return
    folds = read_folds(found.path)
    if not folds.finished():
        raise NoInputError(f"{found.path} has no finished decoder; finish that run first.")
    for fold in folds.finished():
        yield folds.load(fold, device=CPU)


def shown(model: str) -> str:
    """Return the card of a decoder, checked, with the numbers of its config."""
    bundle = next(verified(model))
    decoder = bundle.decoder
    n_weights = sum(t.numel() for t in decoder.model.parameters())
    summary = {
        "path": bundle.path,
        "hash": bundle.hash,
        "network": f"{decoder.model_config.architecture}, {decoder.model_config.ensemble} in the "
        f"ensemble, {n_weights} weights",
        "training": decoder.training_config.scheme,
        **({"decodes": decoder.number.target.name} if decoder.number else {}),
        "classes": ", ".join(each.name for each in decoder.classes),
        "voxels": int(decoder.model.mask.sum()),
        "fingerprints": f"of {len(decoder.origin.fingerprints.maps)} maps",
    }
    lines = [f"{key}: {value}" for key, value in summary.items()]
    card = read_files(bundle.path).card.decode("utf-8", errors="replace")
    return "\n".join([*lines, "", _printable(card)])


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def zip_model(model: str, target: Path) -> str:
    """Write a decoder as one zip and return its hash.

    Raises
    ------
    UsageError
        It is of several folds, which have to be exported first.
    CannotCreateError
        The file exists.
    """
    found = locate(model)
    if found.kind == "folds":
        raise UsageError(
            f"{model} holds one decoder a fold; make one of them with fmridecode-tools models "
            "export, or name the folder of a fold."
        )
    bundle = load(found.path, device=CPU)
    files = read_files(found.path)
    _check_new(target)
    contents = {WEIGHTS: files.weights, CONFIG: files.config, CARD: files.card}
    write_atomically(target, write_zip(contents))
    return bundle.hash


def export(output_dir: Path, target: Path, *, fold: int, card: Card) -> str:
    """Make one bundle of the decoders of an OUTPUT_DIR, its scores in the card.

    Parameters
    ----------
    output_dir
        A finished run, the group level included.
    target
        A new folder, or a name that ends in ``.zip``.
    fold
        The fold to take; 0 takes the mean of all.
    card
        Text for the model card.

    Returns
    -------
    str
        The bundle's hash.

    Raises
    ------
    NoInputError, UsageError, CannotCreateError
        There are no decoders or scores, no such fold, or the target exists.
    """
    found = locate(str(output_dir))
    if found.kind != "folds":
        raise UsageError(f"{output_dir} is a bundle already; models zip makes a file of it.")
    folds, root = read_folds(found.path), found.path.parent.parent
    if not folds.complete():
        raise UsageError(f"{found.path} is not trained to the end; finish that run first.")
    if not 0 <= fold <= len(folds.splits):
        raise UsageError(f"--fold is {fold}; there are folds 1 to {len(folds.splits)}, or 0.")
    _check_new(target)
    decoder = _chosen(folds, fold)
    if decoder.number is not None:
        scores = card_scores(root, fold=fold, data=_TESTED if fold else _MEASURED)
    else:
        scores = _of_fold(root, fold) if fold else _of_all(root)
    said = {name: text for name in Card.__slots__ if (text := getattr(card, name))}
    decoder = replace(decoder, origin=replace(decoder.origin, scores=scores, **said))
    if target.suffix != ".zip":
        return save(decoder, target)
    files = packed(decoder)
    contents = {WEIGHTS: files.weights, CONFIG: files.config, CARD: files.card}
    write_atomically(target, write_zip(contents))
    return load(target, device=CPU).hash


def _chosen(folds: Folds, fold: int) -> TrainedDecoder:
    if fold:
        return folds.load(fold, device=CPU).decoder
    numbers = range(1, len(folds.splits) + 1)
    whole = averaged([folds.load(each, device=CPU).decoder for each in numbers])
    trained = {who for split in folds.splits for who in split.train}
    return replace(whole, n_participants=len(trained))


def _of_all(root: Path) -> tuple[Score, ...]:
    """Return the run's own scores: of the folds, each on participants new to it."""
    if not (root / METRICS).exists():
        raise NoInputError(
            f"{root} has no {METRICS}, from which the card's scores come: run the group level."
        )
    return _scores(read_table(root / METRICS), _MEASURED) + _alignment(root, _MEASURED)


def _alignment(root: Path, data: str) -> tuple[Score, ...]:
    if not (root / ALIGNMENT).exists():
        return ()
    return tuple(
        _score({**row, "metric": f"{row['criterion']} of {row['method']}"}, data, "mean")
        for row in read_table(root / ALIGNMENT).to_dict("records")
    )


def _of_fold(root: Path, fold: int) -> tuple[Score, ...]:
    predictions = collect(root, PREDICTIONS)
    own = predictions[predictions["fold"] == fold]
    kept, _ = scorable(own, own)
    if kept.empty:
        raise NoInputError(f"{root} has no predictions by fold {fold}: run the participant level.")
    return _scores(metrics_table(kept, seed=0), _TESTED)


def _scores(table: pd.DataFrame, data: str) -> tuple[Score, ...]:
    return tuple(_score(row, data, "estimate") for row in table.to_dict("records"))


def _score(row: Mapping[object, object], data: str, value: str) -> Score:
    return Score(
        data=data,
        metric=str(row["metric"]),
        estimate=float(str(row[value])),
        ci_low=_number(row["ci_low"]),
        ci_high=_number(row["ci_high"]),
        n_participants=int(str(row["n_participants"])),
        n_maps=int(str(row["n_maps"])),
    )


def _number(value: object) -> float | None:
    return None if pd.isna(value) else float(str(value))  # type: ignore[call-overload]


def _check_new(target: Path) -> None:
    if target.exists():
        raise CannotCreateError(f"{target} exists; name a new file or folder.")
