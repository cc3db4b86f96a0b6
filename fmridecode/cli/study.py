"""``fmridecode-tools study``: nine rows of decoders and saliency methods on one data set."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fmridecode.cli.main import ConfigFile, Preset
from fmridecode.cli.parameters import given_values, with_config_options
from fmridecode.config import RunConfig, compose, preset_values, read_toml

if TYPE_CHECKING:
    from fmridecode.pipeline.study.data import StudyData

SIMULATED = "simulated"
ROWS_DECIDE = (
    "input__participant_label",
    "given__model",
    "given__labels",
    "training__scheme",
    "training__init_from",
    "training__freeze_layers",
    "training__transfer_rate",
    "saliency__methods",
    "saliency__target",
    "execution__stop_on_first_crash",
    "execution__reports_only",
)
"""Options of ``fmridecode`` that a study has no use for, or that its rows set."""

Source = Annotated[
    str,
    typer.Argument(
        metavar="simulated|BIDS_DIR",
        help="simulated: maps whose true activation is known; or a data set with contrast maps.",
    ),
]
Out = Annotated[Path, typer.Argument(help="Folder for the results; finished rows are kept.")]
Participants = Annotated[
    int, typer.Option(min=3, help="Simulated participants.", rich_help_panel="Simulated maps")
]
Runs = Annotated[
    int,
    typer.Option(
        min=1, help="Simulated maps per task, averaged.", rich_help_panel="Simulated maps"
    ),
]
Variety = Annotated[
    float,
    typer.Option(
        min=0,
        max=1,
        help="0: one study; 1: maps of many laboratories.",
        rich_help_panel="Simulated maps",
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        min=0,
        help="Seed of the simulated maps; --random-seed is that of the training.",
        rich_help_panel="Simulated maps",
    ),
]


def study(
    source: Source,
    out: Out,
    participants: Participants = 40,
    runs: Runs = 1,
    variety: Variety = 0.0,
    seed: Seed = 0,
    config_file: ConfigFile = None,
    preset: Preset = "default",
    **parsed: Any,
) -> None:
    """Compare nine decoders and saliency methods over the same cross-validation.

    Accuracy, CIA and CAD of linear, correlation, CLN and CNN decoders, trained plainly, with
    noise or adversarially; for simulated maps also against the known truth.
    The same command goes on where it was interrupted.
    """
    file_values = read_toml(config_file) if config_file else {}
    config = compose(preset_values(preset), file_values, given_values(parsed))
    from fmridecode.pipeline.cores import n_threads
    from fmridecode.pipeline.device import choose_device, make_repeatable
    from fmridecode.pipeline.study.report import shown, write_study
    from fmridecode.pipeline.study.run import run_study

    device = choose_device(config.execution)
    make_repeatable(n_threads(config.execution))
    if source == SIMULATED:
        data = _simulated(config, participants, runs=runs, variety=variety, seed=seed)
    else:
        data = _prepared(config, Path(source), out)
    results = run_study(data, config, out, device)
    table = write_study(out, results, seed=config.execution.random_seed)
    typer.echo(shown(table).to_string(index=False))
    typer.echo(f"Summary: {(out / 'study.md').absolute()}")


def _simulated(
    config: RunConfig, participants: int, *, runs: int, variety: float, seed: int
) -> "StudyData":
    from dataclasses import asdict

    from fmridecode.experiments.study import SimulationConfig
    from fmridecode.pipeline.simulated_maps import simulated_study
    from fmridecode.pipeline.study.data import StudyData

    settings = SimulationConfig(participants=participants, runs=runs, variety=variety, seed=seed)
    made = simulated_study(settings, config.space)
    source = {"source": SIMULATED, **asdict(settings)}
    return StudyData(maps=made.maps, families=made.families, known=made.known, source=source)


def _prepared(config: RunConfig, bids_dir: Path, out: Path) -> "StudyData":
    from fmridecode.pipeline.preparing.prepare import prepare
    from fmridecode.pipeline.study.data import StudyData

    found = prepare(config, bids_dir, out, only_asked=False)
    source = {"source": str(bids_dir.absolute())}
    return StudyData(maps=found.maps, families=found.families, known={}, source=source)


def command() -> Any:
    """Return `study` with the options of all configs, but for those that the rows decide."""
    return with_config_options(study, without=ROWS_DECIDE)
