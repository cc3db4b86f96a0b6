"""One level of a run."""

from pathlib import Path

from fmridecode.config import RunConfig
from fmridecode.errors import UsageError
from fmridecode.pipeline.group.stack import work_of_group
from fmridecode.pipeline.levels.given import decode_with_given
from fmridecode.pipeline.levels.group import group_level
from fmridecode.pipeline.levels.participant import participant_level
from fmridecode.pipeline.levels.train import train_level
from fmridecode.pipeline.memory import check_memory, work_of
from fmridecode.pipeline.training.together import n_started


def run_level(level: str, bids_dir: Path, output_dir: Path, config: RunConfig) -> None:
    """Carry out one level.

    Raises
    ------
    FmridecodeError
        What stopped the run; or, after all other participants are done, those that failed.
    """
    _check_level(level, config)
    if config.execution.mem_mb:
        check_memory(config, work_of_group(output_dir) if level == "group" else work_of(config))
    if level == "group":
        group_level(bids_dir, output_dir, config)
    elif config.given.model:
        decode_with_given(level, bids_dir, output_dir, config)
    elif level == "train":
        train_level(bids_dir, output_dir, config)
    else:
        participant_level(bids_dir, output_dir, config)


def _check_level(level: str, config: RunConfig) -> None:
    if level == "train":
        return
    if config.execution.fold:
        raise UsageError(
            f"--fold is for the level train, not for {level}, which uses every fold's decoder."
        )
    if n_started() > 1:
        raise UsageError(
            f"torchrun started {n_started()} processes; they train together (level train), but "
            f"the level {level} runs in one: run it without torchrun."
        )
