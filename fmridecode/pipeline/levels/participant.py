"""The level participant."""

from pathlib import Path

from fmridecode.bids.datasets import map_datasets
from fmridecode.bids.derivatives import start_dataset
from fmridecode.config import RunConfig
from fmridecode.pipeline.cores import n_threads
from fmridecode.pipeline.device import choose_device, make_repeatable
from fmridecode.pipeline.lease import lease
from fmridecode.pipeline.levels.begin import (
    TRAINING,
    WAITING,
    checked,
    prepared_for,
    trained_folds,
)
from fmridecode.pipeline.levels.finish import finish, panels_to_show
from fmridecode.pipeline.participant.interactions import parcels_asked
from fmridecode.pipeline.participant.output import Output
from fmridecode.pipeline.participant.panel import write_typical_panels
from fmridecode.pipeline.participant.write import write_participants
from fmridecode.pipeline.training.train import train
from fmridecode.pipeline.turns import turns_of_folds


def participant_level(bids_dir: Path, output_dir: Path, config: RunConfig) -> None:
    """Decode and explain with the decoders of the folds, which are trained where they lack."""
    config = checked(output_dir, config)
    device = choose_device(config.execution)
    make_repeatable(n_threads(config.execution))
    start_dataset(output_dir, map_datasets(bids_dir, config.input))
    prepared, folds = None, trained_folds(config, output_dir)
    if folds is None:
        with lease(output_dir / TRAINING, asks=1, waiting=WAITING):
            folds = trained_folds(config, output_dir)  # by the run that was waited for
            if folds is None:
                prepared = prepared_for(
                    "participant", bids_dir, output_dir, config, only_asked=False
                )
                folds = train(config, prepared.maps, prepared.families, output_dir, device)
    if prepared is None:
        prepared = prepared_for("participant", bids_dir, output_dir, config, only_asked=True)
    maps = folds.aligned(prepared.maps)
    usable = set(maps.participants)
    participants = tuple(who for who in prepared.asked if who in usable)
    turns, skipped = turns_of_folds(config, folds, maps, participants, prepared.families, device)
    write_participants(
        turns,
        maps,
        Output(folder=output_dir, parcels=parcels_asked(config, maps.grid, maps.mask)),
        n_participants=len(participants) - len(skipped),
        device=device,
    )
    done = [who for who in participants if who not in skipped]
    if typical := panels_to_show(done, maps, output_dir, config):
        who = sorted(set(typical.values()))
        turns, _ = turns_of_folds(config, folds, maps, who, prepared.families, device)
        write_typical_panels(turns, maps, output_dir, typical, device=device)
    finish(prepared, skipped, output_dir, config)
