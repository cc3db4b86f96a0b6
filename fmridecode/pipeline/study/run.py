"""The 3-D study: nine rows of decoders and saliency methods over one cross-validation."""

import logging
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from fmridecode.bids.atomic import write_atomically
from fmridecode.bids.derivatives import read_table, write_table
from fmridecode.config import RunConfig, to_toml
from fmridecode.core.maps import MapSet
from fmridecode.core.trained import TrainedDecoder
from fmridecode.errors import UsageError
from fmridecode.pipeline.participant.alignment import align, own_activation
from fmridecode.pipeline.participant.decode import (
    decode,
    predictions_dictionary,
    predictions_table,
)
from fmridecode.pipeline.study.data import StudyData, StudyResults
from fmridecode.pipeline.study.estimate import log_estimate
from fmridecode.pipeline.study.rows import Row, decoder_config, decoders
from fmridecode.pipeline.study.tables import KNOWN, OWN
from fmridecode.pipeline.training.choose import resolved
from fmridecode.pipeline.training.folds import Folds
from fmridecode.pipeline.training.train import train
from fmridecode.progress import progress

log = logging.getLogger(__name__)

SETTINGS = "study.toml"
SCORES_DICTIONARY = {
    "row": "Row of the study.",
    "participant_id": "Participant.",
    "session_id": "Session, n/a where the data set has none.",
    "label": "True class of the map.",
    "reference": "own: the participant's own maps; known: the activation that made them.",
    "criterion": "CIA or CAD.",
    "target": "Class whose saliency is scored.",
    "pearson_r": "Signed Pearson correlation over the voxels of the mask.",
}


def run_study(data: StudyData, config: RunConfig, out: Path, device: torch.device) -> StudyResults:
    """Train, decode and score what OUT does not hold yet.

    Parameters
    ----------
    data
        The maps.
    config
        Settings that all rows share; each row sets architecture, scheme and method.
    out
        Receives ``models/``, ``rows/`` and the settings.
    device
        Where to compute.

    Raises
    ------
    UsageError
        When OUT holds another study.
    """
    _claim(out, config, data)
    todo = decoders()
    log_estimate(data, config, out, device)
    predictions, scores = [], []
    for number, (name, rows) in enumerate(todo.items(), start=1):
        paths = [out / "rows" / f"{name}_{what}.tsv" for what in ("predictions", "scores")]
        if not all(path.exists() for path in paths):
            log.info("Decoder %d of %d: %s", number, len(todo), name)
            own_config = decoder_config(config, rows)
            folds = train(own_config, data.maps, data.families, out, device)
            found = _decode_and_score(data, own_config, folds, rows, device)
            dictionary = predictions_dictionary(data.maps.class_names)
            write_table(paths[1], found.scores, SCORES_DICTIONARY)
            write_table(paths[0], found.predictions, {"decoder": "Decoder.", **dictionary})
        predictions.append(read_table(paths[0]))
        scores.append(read_table(paths[1]))
    return StudyResults(
        predictions=pd.concat(predictions, ignore_index=True),
        scores=pd.concat(scores, ignore_index=True),
    )


def _decode_and_score(
    data: StudyData, config: RunConfig, folds: Folds, rows: tuple[Row, ...], device: torch.device
) -> StudyResults:
    predictions: list[pd.DataFrame] = []
    scores: list[dict[str, object]] = []
    total = sum(len(split.test) for split in folds.splits)
    with progress("Explaining", total) as advance:
        for fold, split in enumerate(folds.splits, start=1):
            bundle = folds.load(fold, device=device)
            explaining = resolved(config, folds, fold)
            for who in split.test:
                decoded = decode(
                    bundle, data.maps, who, fold=fold, seen_in_training=False, device=device
                )
                predictions.append(predictions_table(decoded, data.maps))
                scores += _scores_of(data, bundle.decoder, rows, who, explaining, device)
                advance()
    table = pd.concat(predictions, ignore_index=True)
    table.insert(0, "decoder", rows[0].decoder)
    return StudyResults(
        predictions=table, scores=pd.DataFrame(scores, columns=list(SCORES_DICTIONARY))
    )


def _scores_of(
    data: StudyData,
    decoder: TrainedDecoder,
    rows: tuple[Row, ...],
    participant: str,
    config: RunConfig,
    device: torch.device,
) -> list[dict[str, object]]:
    """Score one participant in the rows that share a decoder."""
    maps, references = data.maps, {OWN: own_activation(data.maps, participant)}
    if data.known:
        references[KNOWN] = data.known[participant]
    return [
        {
            "row": row.name,
            **_example_cells(maps, each.index),
            "reference": each.reference,
            "criterion": each.alignment.criterion,
            "target": maps.class_names[each.alignment.target],
            "pearson_r": each.alignment.pearson_r,
        }
        for row in rows
        for each in align(
            decoder, maps, participant, row.method, references, config, device=device
        )
    ]


def _example_cells(maps: MapSet, index: int) -> dict[str, object]:
    example = maps.examples[index]
    return {
        "participant_id": f"sub-{example.participant}",
        "session_id": f"ses-{example.session}" if example.session else None,
        "label": maps.class_names[example.label],
    }


def _claim(out: Path, config: RunConfig, data: StudyData) -> None:
    """Write the settings, or check that they are those of the study that OUT holds."""
    text = to_toml(config, _run_table(data))
    wanted = dict(_decisive(tomllib.loads(text)))
    path = out / SETTINGS
    if not path.exists():
        write_atomically(path, text.encode())
        return
    known = dict(_decisive(tomllib.loads(path.read_text(encoding="utf-8"))))
    differing = sorted(name for name in wanted | known if wanted.get(name) != known.get(name))
    if differing:
        raise UsageError(
            f"{out} holds another study ({', '.join(differing)} differ from {SETTINGS}); name "
            "another folder, or remove that one."
        )


def _run_table(data: StudyData) -> dict[str, Any]:
    examples = (f"{e.participant}/{e.session}/{e.label}" for e in data.maps.examples)
    return {
        "study": dict(data.source),
        "participants": len(set(data.maps.participants)),
        "classes": list(data.maps.class_names),
        "maps": list(dict.fromkeys(examples)),
    }


def _decisive(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what decides the results, by name."""
    for table, content in values.items():
        for name, value in content.items():
            if table != "execution" or name == "random_seed":
                yield f"{table}.{name}", value
