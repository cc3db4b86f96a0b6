"""The three levels of a run: train, participant, group."""

import logging
import os
import sys
from datetime import UTC, datetime
from pathlib import Path

import torch

from fmridecode import __version__
from fmridecode.bids.atomic import write_atomically
from fmridecode.bids.datasets import map_datasets
from fmridecode.bids.derivatives import start_dataset
from fmridecode.config import RunConfig, to_toml
from fmridecode.errors import BadDataError, NoInputError
from fmridecode.pipeline.device import choose_device, n_threads
from fmridecode.pipeline.evaluate import write_group_tables
from fmridecode.pipeline.exclusions import record_exclusions, write_exclusions
from fmridecode.pipeline.folds import find_folds
from fmridecode.pipeline.group_maps import write_group_maps
from fmridecode.pipeline.participants import write_participants
from fmridecode.pipeline.prepare import Prepared, prepare
from fmridecode.pipeline.train import train
from fmridecode.report import build_group, build_participant

log = logging.getLogger(__name__)


def run_level(level: str, bids_dir: Path, output_dir: Path, config: RunConfig) -> None:
    """Carry out one level.

    Raises
    ------
    FmridecodeError
        What stopped the run; or, after all other participants are done, those that failed.
    """
    if config.execution.reports_only:
        _reports_only(level, output_dir)
        return
    if level == "group":
        _group(output_dir, config)
    else:
        _train_or_participant(level, bids_dir, output_dir, config)


def _train_or_participant(level: str, bids_dir: Path, output_dir: Path, config: RunConfig) -> None:
    device = choose_device(config.execution)
    torch.set_num_threads(n_threads(config.execution))
    folds = find_folds(output_dir, config)
    trained = folds is not None and folds.complete()
    prepared = prepare(config, bids_dir, output_dir, only_asked=level == "train" or trained)
    start_dataset(output_dir, map_datasets(bids_dir, config.input))
    _write_run(level, bids_dir, output_dir, config)
    if folds is None or not trained or level == "train":
        folds = train(config, prepared.maps, prepared.families, output_dir, device)
    excluded = {each.participant: each.message for each in prepared.failures}
    if level == "participant":
        usable = set(prepared.maps.participants)
        excluded |= write_participants(
            config,
            prepared.maps,
            folds,
            tuple(who for who in prepared.asked if who in usable),
            output_dir,
            device,
            lambda who: log.info("Page: %s", build_participant(output_dir, who)),
        )
        record_exclusions(output_dir, excluded, done=usable - set(excluded))
    _raise_failures(prepared)


def _raise_failures(prepared: Prepared) -> None:
    failed = [each for each in prepared.failures if each.participant in prepared.asked]
    if failed:
        listed = "; ".join(f"sub-{each.participant}: {each.message}" for each in failed)
        raise BadDataError(
            f"{len(failed)} of {len(prepared.asked)} participants failed, the others are done. "
            f"{listed}"
        )


def _group(output_dir: Path, config: RunConfig) -> None:
    if not output_dir.is_dir():
        raise NoInputError(f"{output_dir} is not a folder: run the participant level first.")
    write_group_tables(output_dir, seed=config.execution.random_seed)
    write_group_maps(output_dir)
    write_exclusions(output_dir)
    log.info("Page: %s", build_group(output_dir))


def _reports_only(level: str, output_dir: Path) -> None:
    if not output_dir.is_dir():
        raise NoInputError(f"{output_dir} is not a folder: there is nothing to report on.")
    if level == "group":
        log.info("Page: %s", build_group(output_dir))
        return
    for folder in sorted(output_dir.glob("sub-*")):
        if folder.is_dir():
            page = build_participant(output_dir, folder.name.removeprefix("sub-"))
            log.info("Page: %s", page)


def _write_run(level: str, bids_dir: Path, output_dir: Path, config: RunConfig) -> None:
    """Leave the resolved config, which re-runs the job, and how the run was started."""
    started = datetime.now(UTC)
    run = {
        "level": level,
        "bids_dir": str(bids_dir.absolute()),
        "output_dir": str(output_dir.absolute()),
        "version": __version__,
        "started": started.isoformat(timespec="seconds"),
        "command": " ".join(sys.argv),
    }
    name = f"{started:%Y%m%dT%H%M%S}_{level}_{os.getpid()}.toml"
    write_atomically(output_dir / "logs" / name, to_toml(config, run).encode())
