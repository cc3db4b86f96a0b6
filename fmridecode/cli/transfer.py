"""``fmridecode-tools transfer``: learning curves with and without ``--init-from``."""

from pathlib import Path
from typing import Annotated, Any

import typer

from fmridecode.cli.main import ConfigFile, Preset
from fmridecode.cli.parameters import given_values, with_config_options
from fmridecode.config import compose, preset_values, read_toml

DECIDED = (
    "input__participant_label",
    "given__model",
    "given__labels",
    "model__architecture",
    "saliency__methods",
    "saliency__target",
    "execution__stop_on_first_crash",
    "execution__reports_only",
)
"""Options of ``fmridecode`` that this has no use for, or that its arms set."""


def transfer(
    bids_dir: Annotated[Path, typer.Argument(help="Data set with contrast maps.")],
    out: Annotated[Path, typer.Argument(help="Folder for the results; made if missing.")],
    sizes: Annotated[
        list[int] | None,
        typer.Option(help="Participants to learn from; 5, 10, 20 and all by default."),
    ] = None,
    repetitions: Annotated[int, typer.Option(min=1, help="Random subsets of each size.")] = 3,
    config_file: ConfigFile = None,
    preset: Preset = "default",
    **parsed: Any,
) -> None:
    """Learn from few participants: from scratch, linearly, and from another decoder's layers.

    Every size is tested on all participants, in --folds folds; each is decoded by decoders that
    have not seen them.
    """
    file_values = read_toml(config_file) if config_file else {}
    config = compose(preset_values(preset), file_values, given_values(parsed))
    from fmridecode.pipeline.cores import n_threads
    from fmridecode.pipeline.device import choose_device, make_repeatable
    from fmridecode.pipeline.preparing.prepare import prepare
    from fmridecode.pipeline.transfer.curves import write_curves
    from fmridecode.pipeline.transfer.learn import arms, draws, learning_curves

    device = choose_device(config.execution)
    make_repeatable(n_threads(config.execution))
    arms(config)  # whatever is wrong with them is said before the maps are prepared
    maps = prepare(config, bids_dir, out, only_asked=False).maps
    seed = config.execution.random_seed
    drawn = draws(
        maps.participants,
        sizes or (),
        repetitions=repetitions,
        folds=config.split.folds,
        validation_share=config.split.validation_share,
        seed=seed,
    )
    table = write_curves(out, learning_curves(config, maps, drawn, device), seed=seed)
    typer.echo(table.to_string(index=False, float_format="{:.3f}".format))
    typer.echo(f"Figure: {(out / 'curves.png').absolute()}")


def command() -> Any:
    """Return `transfer` with the options of all configs, but for those that its arms decide."""
    return with_config_options(transfer, without=DECIDED)
