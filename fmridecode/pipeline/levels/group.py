"""The level group."""

from pathlib import Path

from fmridecode.config import RunConfig
from fmridecode.errors import NoInputError
from fmridecode.pipeline.group.interactions import write_group_interactions
from fmridecode.pipeline.group.maps import write_group_maps
from fmridecode.pipeline.group.reliability import write_map_reliability
from fmridecode.pipeline.group.tables import write_group_tables
from fmridecode.pipeline.levels.record import write_run
from fmridecode.pipeline.preparing.exclusions import write_exclusions
from fmridecode.pipeline.regression.group import is_of_number, write_number_group
from fmridecode.pipeline.reports import write_group_page
from fmridecode.report import write_summary


def group_level(bids_dir: Path, output_dir: Path, config: RunConfig) -> None:
    """Evaluate over the participants that are done."""
    if not output_dir.is_dir():
        raise NoInputError(f"{output_dir} is not a folder: run the participant level first.")
    if is_of_number(output_dir):
        write_number_group(output_dir, config)
    else:
        _evaluate_classes(output_dir, config)
    write_exclusions(output_dir)
    write_run("group", bids_dir, output_dir, config)
    write_summary(output_dir)
    write_group_page(output_dir)


def _evaluate_classes(output_dir: Path, config: RunConfig) -> None:
    write_group_tables(output_dir, seed=config.execution.random_seed)
    write_group_maps(output_dir, config)
    write_group_interactions(output_dir, config)
    write_map_reliability(output_dir, config)
