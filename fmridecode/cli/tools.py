"""``fmridecode-tools``: the demo, simulated studies, and other things beside data sets."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from fmridecode.cli.bench import bench
from fmridecode.cli.gradient_reuse import gradient_reuse
from fmridecode.cli.hcp import hcp
from fmridecode.cli.main import main as run_app
from fmridecode.cli.models import app as models
from fmridecode.cli.parameters import one_value_each
from fmridecode.cli.running import exit_code_of, set_up_logging
from fmridecode.cli.shipped import shipped
from fmridecode.cli.study import command as study_command
from fmridecode.cli.synthetic import synthetic, synthetic_sweep
from fmridecode.cli.templates import templates
from fmridecode.cli.transfer import command as transfer_command
from fmridecode.errors import CannotCreateError

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Tools around fmridecode: demonstrations, experiments and trained decoders.",
)

Out = Annotated[Path, typer.Argument(help="Folder for the results; made if missing.")]


@app.callback()
def tools() -> None:
    """Set up logging for all tools."""
    set_up_logging(0)


@app.command()
def demo(
    out: Out,
    participants: Annotated[int, typer.Option(help="Simulated participants.")] = 24,
    seed: Annotated[int, typer.Option(help="Seed of the maps and of the training.")] = 0,
) -> None:
    """Simulate contrast maps of seven tasks, then decode, explain and evaluate them."""
    import shutil

    from fmridecode.bids.settings import SpaceConfig
    from fmridecode.experiments.study import SimulationConfig
    from fmridecode.pipeline.simulate import write_simulation

    bids, results = out / "bids", out / "results"
    for folder, ours in ((bids, "simulation.json"), (results, "models")):
        if folder.exists() and not (folder / ours).exists():
            raise CannotCreateError(
                f"{folder} is there and no earlier demo made it: name another folder."
            )
    for folder in (bids, results):
        shutil.rmtree(folder, ignore_errors=True)
    config = SimulationConfig(participants=participants, seed=seed)
    write_simulation(bids, config, SpaceConfig(resolution=8))
    options = ["--preset", "quick", "--group-column", "family", "--random-seed", str(seed)]
    for level in ("participant", "group"):
        line = [str(bids), str(results), level, *options]
        typer.echo("fmridecode " + " ".join(line))
        code = run_app(line)
        if code:
            raise typer.Exit(code)
    typer.echo(f"The report: {(results / 'group.html').absolute()}")


@app.command()
def simulate(
    out: Out,
    participants: Annotated[int, typer.Option(help="Participants.")] = 24,
    runs: Annotated[int, typer.Option(help="Maps per participant and task.")] = 1,
    classes: Annotated[
        str, typer.Option(help="Tasks, separated by commas; all seven by default.")
    ] = "",
    space: Annotated[str, typer.Option(help="TemplateFlow template.")] = "MNI152NLin2009cAsym",
    resolution: Annotated[int, typer.Option(help="Voxel size in mm: 1, 2, 4 or 8.")] = 4,
    variety: Annotated[
        float, typer.Option(help="0: one study; 1: maps of many laboratories.")
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of the maps.")] = 0,
) -> None:
    """Write contrast maps of participants whose true activations are known, as BIDS derivative."""
    from fmridecode.bids.settings import SpaceConfig
    from fmridecode.experiments.regions import DOMAINS
    from fmridecode.experiments.study import SimulationConfig
    from fmridecode.pipeline.simulate import write_simulation

    config = SimulationConfig(
        participants=participants,
        runs=runs,
        classes=tuple(classes.split(",")) if classes else DOMAINS,
        variety=variety,
        seed=seed,
    )
    write_simulation(out, config, SpaceConfig(space=space, resolution=resolution))
    typer.echo(f"Simulated maps: {out.absolute()}")


app.command()(synthetic)
app.command()(synthetic_sweep)
app.command("study")(study_command())
app.command("gradient-reuse")(gradient_reuse)
app.command("hcp")(hcp)
app.command("bench")(bench)
app.add_typer(models, name="models")
app.command("shipped")(shipped)
app.command("templates")(templates)
app.command("transfer")(transfer_command())


def run() -> None:
    """Run on the process's arguments and exit."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as in fmridecode itself
    arguments = one_value_each(sys.argv[1:], several_of=["--sizes"])
    sys.exit(exit_code_of(lambda: app(args=arguments, standalone_mode=False)))
