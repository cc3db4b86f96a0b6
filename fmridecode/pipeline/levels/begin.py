"""What the levels train and participant begin with."""

from pathlib import Path

from fmridecode.config import RunConfig
from fmridecode.pipeline.given import (
    check_one_decoder,
)
from fmridecode.pipeline.levels.record import write_run
from fmridecode.pipeline.participant.explain import check_methods, check_target
from fmridecode.pipeline.participant.interactions import parcels_asked
from fmridecode.pipeline.preparing.prepare import Prepared, prepare
from fmridecode.pipeline.regression.applicable import settled_for_number
from fmridecode.pipeline.training.baseline import baseline_trained
from fmridecode.pipeline.training.choose import sigma_chosen
from fmridecode.pipeline.training.folds import Folds, check_one_kind, find_folds
from fmridecode.pipeline.training.permuted import permuted_trained
from fmridecode.pipeline.training.refits import check_refits, refits_done
from fmridecode.pipeline.training.start import started
from fmridecode.pipeline.training.train import histories_collected

TRAINING = Path("models", ".training.lock")
"""In OUTPUT_DIR: whose turn it is to train."""

WAITING = (
    "Another run trains in this OUTPUT_DIR, and this one waits for its decoders. To spare an "
    "array the wait, run the level train first."
)


def checked(output_dir: Path, config: RunConfig) -> RunConfig:
    """Return the settings with what ``--init-from`` decides, if they are right for OUTPUT_DIR."""
    check_one_decoder(output_dir, None)
    if config.input.target_column:
        config = settled_for_number(config)
    config = started(config)
    check_methods(config.saliency.methods, config.model)
    check_refits(config)
    check_one_kind(output_dir, config)
    return config


def prepared_for(
    level: str, bids_dir: Path, output_dir: Path, config: RunConfig, *, only_asked: bool
) -> Prepared:
    """Return the maps, after a look whether ``--target`` and ``--atlas`` suit them."""
    prepared = prepare(config, bids_dir, output_dir, only_asked=only_asked)
    if prepared.maps.target is None:
        check_target(config.saliency.target, prepared.maps.class_names)
    parcels_asked(config, prepared.maps.grid, prepared.maps.mask)  # before anything is trained
    write_run(level, bids_dir, output_dir, config)
    return prepared


def trained_folds(config: RunConfig, output_dir: Path) -> Folds | None:
    """Return the decoders when nothing is left to train."""
    folds = find_folds(output_dir, config)
    if folds is None or not folds.complete() or not sigma_chosen(config, folds):
        return None
    if not histories_collected(folds):  # by jobs of --fold that did not see one another
        return None
    compared = baseline_trained(config, folds) and permuted_trained(config, folds)
    return folds if compared and refits_done(config, folds) else None
