"""``fmridecode-tools gradient-reuse``: Algorithm 1 as printed against its faster form."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import typer

from fmridecode.config import compose, preset_values
from fmridecode.experiments.synthetic_settings import PRESETS

DICTIONARY = {
    "preset": "Data: a preset of the synthetic experiment, or simulated 3-D maps and what their "
    "saliency is compared with.",
    "seed": "Seed of the data, the split and the weights.",
    "criterion": "CIA or CAD, mean over test examples.",
    "literal": "By Algorithm 1 as printed: direction from a second pass after the update.",
    "reuse": "By the direction from the pass that updates the weights.",
    "difference": "reuse minus literal.",
    "seeds": "Number of seeds.",
    "low": "Lower end of the difference's 95 % interval over seeds.",
    "high": "Upper end of that interval.",
    "t": "Two-sided paired t statistic over seeds.",
    "df": "Degrees of freedom.",
    "p": "Uncorrected p value.",
}


def gradient_reuse(
    out: Annotated[Path, typer.Argument(help="Folder for the results; made if missing.")],
    data: Annotated[
        Literal["both", "synthetic", "simulated"],
        typer.Option(help="2-D images of section 3.1, simulated 3-D maps, or both."),
    ] = "both",
    seeds: Annotated[int, typer.Option(min=2, help="Repetitions, each with its own data.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The first seed.")] = 0,
    participants: Annotated[int, typer.Option(min=6, help="Simulated participants.")] = 24,
    resolution: Annotated[int, typer.Option(help="Voxel size of simulated maps, in mm.")] = 8,
    epsilon: Annotated[
        float, typer.Option(help="Noise bound on simulated maps, SD per voxel.")
    ] = 0.3,
    epochs: Annotated[
        int, typer.Option(min=1, help="Passes over the simulated maps, hops counted.")
    ] = 96,
    nprocs: Annotated[int, typer.Option(min=1, help="Processes.")] = os.cpu_count() or 1,
) -> None:
    """Test over seeds whether reusing the gradient changes interpretability."""
    import pandas as pd

    from fmridecode.bids.derivatives import write_table
    from fmridecode.experiments import gradient_reuse as synthetic
    from fmridecode.experiments.parallel import run_all
    from fmridecode.experiments.study import SimulationConfig
    from fmridecode.pipeline import reuse as simulated
    from fmridecode.progress import progress

    which = range(seed, seed + seeds)
    tables: list[pd.DataFrame] = []
    if data != "simulated":
        images = PRESETS["paper"].with_recipe(training="adversarial")
        images_jobs = synthetic.jobs(images, which)
        with progress("Synthetic", len(images_jobs)) as step:
            scores = run_all(synthetic.run, images_jobs, processes=nprocs, on_done=step)
        tables.append(synthetic.seeds_table(images, scores))
    if data != "synthetic":
        config = compose(preset_values("default"))
        config = replace(
            config,
            space=replace(config.space, resolution=resolution),
            model=replace(config.model, ensemble=1),  # the seeds are the repetitions
            training=replace(config.training, epsilon=epsilon, epochs=epochs),
        )
        maps_jobs = simulated.jobs(config, SimulationConfig(participants=participants), which)
        with progress("Simulated", len(maps_jobs)) as step:
            found = run_all(simulated.run, maps_jobs, processes=nprocs, on_done=step)
        tables.append(simulated.seeds_table(found))
    table = pd.concat(tables, ignore_index=True)
    tests = pd.concat(
        [synthetic.tested(rows) for _, rows in table.groupby("preset", sort=False)],
        ignore_index=True,
    )
    write_table(out / "gradient_reuse.tsv", table, DICTIONARY)
    write_table(out / "gradient_reuse_tests.tsv", tests, DICTIONARY)
    typer.echo(tests.to_string(index=False, float_format="{:.4f}".format))
