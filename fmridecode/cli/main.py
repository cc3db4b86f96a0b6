"""``fmridecode BIDS_DIR OUTPUT_DIR {train,participant,group}``."""

import inspect
import json
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from fmridecode.cli.boutiques import descriptor
from fmridecode.cli.parameters import config_parameters, given_values, one_value_each
from fmridecode.cli.running import exit_code_of, set_up_logging
from fmridecode.config import PresetName, compose_run, read_toml
from fmridecode.errors import UnknownLevelError

LEVELS = ("train", "participant", "group")


def _version(asked: bool) -> None:
    if asked:
        from fmridecode import __version__

        typer.echo(f"fmridecode {__version__}")
        raise typer.Exit


def _self_check(asked: bool) -> None:
    """Print what this installation can do here; raise the first thing that stops a run."""
    if not asked:
        return
    from fmridecode.pipeline.self_check import self_check

    problems = []
    for each in self_check():
        typer.echo(each)
        if each.problem is not None:
            problems.append(each.problem)
    if problems:
        raise problems[0]
    raise typer.Exit


def _bids_exec_spec(asked: bool) -> None:
    if asked:
        typer.echo(bids_exec_spec(), nl=False)
        raise typer.Exit


BidsDir = Annotated[
    Path,
    typer.Argument(
        help="Data set with the contrast maps, a BIDS derivative, or a raw one with --derivatives."
    ),
]
OutputDir = Annotated[Path, typer.Argument(help="Folder for the results; made if missing.")]
Level = Annotated[
    str,
    typer.Argument(
        metavar="{train|participant|group}",
        help="train: only the "
        "decoders. participant: decode and explain each participant, training first if need be. "
        "group: evaluate over all participants.",
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config-file",
        help="TOML with settings, such as the one a run leaves in logs/.",
        rich_help_panel="Presets",
    ),
]
Preset = Annotated[
    PresetName,
    typer.Option(
        "--preset",
        help="default: tens of participants; "
        "paper: McClure et al. 2020; quick: a first look at 8 mm.",
        rich_help_panel="Presets",
    ),
]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        show_default=False,
        help="Log more; twice for everything.",
        rich_help_panel="Execution",
    ),
]
Version = Annotated[
    bool,
    typer.Option(
        "--version",
        callback=_version,
        is_eager=True,
        show_default=False,
        help="Print the version and stop.",
    ),
]
SelfCheck = Annotated[
    bool,
    typer.Option(
        "--self-check",
        callback=_self_check,
        is_eager=True,
        show_default=False,
        help="Say what this installation can do here (GPU, templates, folders), and stop.",
    ),
]
BidsExecSpec = Annotated[
    bool,
    typer.Option(
        "--bids-exec-spec",
        callback=_bids_exec_spec,
        is_eager=True,
        show_default=False,
        help="Print the Boutiques descriptor of this command, and stop.",
    ),
]


def fmridecode(
    bids_dir: BidsDir,
    output_dir: OutputDir,
    level: Level,
    config_file: ConfigFile = None,
    preset: Preset = "default",
    verbose: Verbose = 0,
    version: Version = False,
    self_check: SelfCheck = False,
    bids_exec_spec: BidsExecSpec = False,
    **parsed: Any,
) -> None:
    """Decode tasks from fMRI contrast maps, and show where in the brain the information is.

    Every participant is decoded and explained by a decoder that has not seen that participant.
    """
    set_up_logging(verbose)
    if level not in LEVELS:
        raise UnknownLevelError(f"{level!r} is no analysis level; use {', '.join(LEVELS)}.")
    file_values = read_toml(config_file) if config_file else {}
    config = compose_run(preset, file_values, given_values(parsed))
    logging.getLogger(__name__).debug("%s", config)
    if config.execution.dry_run:
        from fmridecode.pipeline.preparing.dry_run import dry_run

        typer.echo(dry_run(bids_dir, config))
        return
    if config.execution.reports_only:
        from fmridecode.pipeline.reports import reports_only

        reports_only(level, output_dir, config)
        return
    from fmridecode.pipeline.levels import run_level

    run_level(level, bids_dir, output_dir, config)


def command_parameters() -> list[inspect.Parameter]:
    """Return what the command takes: the folders and the level, and every config's options."""
    own = inspect.signature(fmridecode).parameters.values()
    named = [each for each in own if each.kind is not each.VAR_KEYWORD]
    keyword = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in named]
    return [*keyword, *config_parameters()]


def make_app() -> typer.Typer:
    """Build the app; every option of every config becomes a parameter of the one command."""

    def command(**values: Any) -> None:
        fmridecode(**values)

    parameters = command_parameters()
    command.__signature__ = inspect.signature(fmridecode).replace(  # type: ignore[attr-defined]
        parameters=parameters
    )
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    command.__doc__ = fmridecode.__doc__
    app = typer.Typer(
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.command(name="fmridecode")(command)
    return app


def bids_exec_spec() -> str:
    """Return the Boutiques descriptor of the command as JSON."""
    from fmridecode import __version__

    described = descriptor(command_parameters(), levels=LEVELS, version=__version__)
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code."""
    rewritten = one_value_each(arguments, levels=LEVELS)
    return exit_code_of(lambda: make_app()(args=rewritten, standalone_mode=False))


def run() -> None:
    """Run on the process's arguments and exit."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # spinning threads slow shared machines
    sys.exit(main(sys.argv[1:]))
