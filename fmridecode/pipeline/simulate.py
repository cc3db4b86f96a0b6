"""Write simulated contrast maps as a BIDS derivative, with the truth beside them."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from fmridecode import __version__
from fmridecode.bids.atomic import write_atomically
from fmridecode.bids.derivatives import write_map, write_table
from fmridecode.bids.settings import SpaceConfig
from fmridecode.bids.templates import Template, target_grid
from fmridecode.core.grid import Grid
from fmridecode.errors import CannotCreateError
from fmridecode.experiments.simulation import simulate, truth
from fmridecode.experiments.study import SimulationConfig
from fmridecode.progress import progress

PARTICIPANTS_DICTIONARY = {
    "participant_id": "Participant.",
    "family": "Family; members share part of what distinguishes participants.",
}
README = """\
# Simulated contrast maps

Made by `fmridecode-tools simulate`; the settings are in `simulation.json`. `truth/` holds, for
each task, the activation of the population (`desc-population`) and what only that task has
(`desc-specific`), and for each participant the activation without noise.

Region centres come from a coordinate meta-analysis (Neurosynth, Open Database License).
"""


def write_simulation(out: Path, config: SimulationConfig, space: SpaceConfig) -> Path:
    """Simulate a study and write it, in the layout that first-level software uses.

    Parameters
    ----------
    out
        A new or empty folder.
    config
        The study.
    space
        Template and resolution of the maps.

    Returns
    -------
    Path
        The folder, a derivative data set with one z map per participant, task and run.
    """
    if out.exists() and any(out.iterdir()):
        raise CannotCreateError(f"{out} is not empty: name a new folder for the simulated maps.")
    template = target_grid(space)
    grid, mask = template.grid, template.mask
    _describe(out, config, template)
    families: dict[str, str] = {}
    total = config.participants * len(config.classes) * config.runs
    with progress("Simulating", total) as advance:
        for each in simulate(grid, mask, config):
            families[each.participant] = each.family
            entities = _entities(each.task, grid)
            who = f"sub-{each.participant}"
            run = f"_run-{each.run}" if config.runs > 1 else ""
            task, rest = entities
            said = {"Description": f"Simulated z map of task {each.task}.", "Simulated": True}
            name = f"{who}_{task}{run}_{rest}_stat-z_statmap.nii.gz"
            write_map(out / who / "func" / name, each.values, grid=grid, mask=mask, sidecar=said)
            if each.run == 1:
                name = f"{who}_{task}_{rest}_desc-signal_truth.nii.gz"
                said = {"Description": f"Activation of task {each.task} without noise."}
                path = out / "truth" / who / name
                write_map(path, each.signal, grid=grid, mask=mask, sidecar=said)
            advance()
    for known in truth(grid, mask, config):
        task, rest = _entities(known.task, grid)
        for what, values in (("population", known.values), ("specific", known.specific)):
            path = out / "truth" / f"{task}_{rest}_desc-{what}_truth.nii.gz"
            said = {"Description": f"Activation of task {known.task}: {what}."}
            write_map(path, values, grid=grid, mask=mask, sidecar=said)
    rows = [{"participant_id": f"sub-{who}", "family": f} for who, f in sorted(families.items())]
    write_table(out / "participants.tsv", pd.DataFrame(rows), PARTICIPANTS_DICTIONARY)
    return out


def _entities(task: str, grid: Grid) -> tuple[str, str]:
    return f"task-{task}", f"space-{grid.space}_res-{grid.resolution}"


def _describe(out: Path, config: SimulationConfig, template: Template) -> None:
    description = {
        "Name": "Simulated contrast maps",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "License": "ODbL-1.0",
        "GeneratedBy": [{"Name": "fmridecode-tools simulate", "Version": __version__}],
    }
    settings = {
        **asdict(config),
        "mask": template.mask_source,
        "voxels": int(np.sum(template.mask)),
    }
    ignored = "*_statmap.nii.gz\n*_statmap.json\ntruth/\nsimulation.json\n"
    for name, text in (
        ("dataset_description.json", json.dumps(description, indent=2)),
        ("simulation.json", json.dumps(settings, indent=2)),
        ("README.md", README),
        (".bidsignore", ignored),
    ):
        write_atomically(out / name, text.encode())
