"""The level group where a number was decoded."""

import logging
from pathlib import Path

import pandas as pd

from fmridecode.bids.derivatives import write_table
from fmridecode.config import RunConfig
from fmridecode.core.target import Target
from fmridecode.errors import UsageError
from fmridecode.pipeline.group.stack import read_sidecar
from fmridecode.pipeline.group.tables import collect
from fmridecode.pipeline.regression.endings import BASELINE, PREDICTIONS
from fmridecode.pipeline.regression.maps import (
    ALIGNMENT_DICTIONARY,
    remove_maps,
    write_number_maps,
)
from fmridecode.pipeline.regression.predict import predictions_dictionary
from fmridecode.pipeline.regression.scores import SCORES_DICTIONARY, scores_table

log = logging.getLogger(__name__)

SCORES, PARTICIPANTS, ALIGNMENT = (
    f"group_desc-regression_{name}.tsv" for name in ("scores", "participants", "alignment")
)


def is_of_number(output_dir: Path) -> bool:
    """Whether the participants of OUTPUT_DIR have predictions of a number."""
    return any(output_dir.glob(f"sub-*/**/*_{PREDICTIONS}"))


def write_number_group(output_dir: Path, config: RunConfig) -> None:
    """Write the tables and maps of all participants.

    Raises
    ------
    UsageError
        ``--atlas`` was given, which names the peaks of classes.
    """
    if config.evaluation.atlas:
        raise UsageError(
            "--atlas is for the maps of classes, and OUTPUT_DIR holds predictions of a number; "
            "leave it out."
        )
    seed = config.execution.random_seed
    predictions = scorable(collect(output_dir, PREDICTIONS))
    if predictions.empty:
        log.warning("Nobody can be scored: there are predictions and maps, but no group tables.")
        for name in (SCORES, PARTICIPANTS, ALIGNMENT):
            _remove(output_dir / name)
        remove_maps(output_dir, but=())
        return
    ridge = None
    if any(output_dir.glob(f"sub-*/**/*_{BASELINE}")):
        ridge = scorable(collect(output_dir, BASELINE))
    target = _target(output_dir)
    write_table(
        output_dir / SCORES, scores_table(predictions, ridge, seed=seed), SCORES_DICTIONARY
    )
    participants = _participants(predictions, ridge)
    said = {
        **predictions_dictionary(target),
        "n_maps": "Maps of the participant.",
        "ridge_predicted": "What ridge regression on the same folds predicts.",
    }
    write_table(output_dir / PARTICIPANTS, participants, said)
    alignment = write_number_maps(output_dir, participants, target.name, seed=seed)
    write_table(output_dir / ALIGNMENT, alignment, ALIGNMENT_DICTIONARY)


def scorable(predictions: pd.DataFrame) -> pd.DataFrame:
    """Leave out whom the decoder was trained on, and whose number is not known; say so."""
    seen, known = predictions["seen_in_training"].astype(bool), predictions["true"].notna()
    whole = predictions["unit"] == "participant"
    for left_out, why in ((seen, "trained the decoder"), (~known, "have no number")):
        if n := int((left_out & whole).sum()):
            log.warning("%d participants %s; they are left out of all scores.", n, why)
    return predictions[~seen & known]


def _participants(predictions: pd.DataFrame, ridge: pd.DataFrame | None) -> pd.DataFrame:
    whole = predictions[predictions["unit"] == "participant"].set_index("participant_id")
    n_maps = predictions[predictions["unit"] == "map"].groupby("participant_id").size()
    columns = ["true", "predicted", "sd", "error", "training_mean", "training_sd", "fold"]
    table = whole[columns].assign(n_maps=n_maps)
    if ridge is not None:
        own = ridge[ridge["unit"] == "participant"].set_index("participant_id")
        table["ridge_predicted"] = own["predicted"]
    return table.sort_index().reset_index()


def _target(output_dir: Path) -> Target:
    """Return what the participants' sidecars say of the number."""
    for path in sorted(output_dir.glob("sub-*/**/*_saliency.nii.gz")):
        said = read_sidecar(path)
        if "TargetColumn" in said:
            return Target(
                name=str(said["TargetColumn"]),
                unit=str(said.get("TargetUnit", "")),
                source=str(said.get("TargetSource", "")),
            )
    return Target(name="number")


def _remove(path: Path) -> None:
    for each in (path, path.with_suffix(".json")):
        each.unlink(missing_ok=True)
