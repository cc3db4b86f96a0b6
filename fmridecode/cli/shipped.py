"""``fmridecode-tools shipped``: make the decoder that comes with fmridecode."""

from pathlib import Path
from typing import Annotated

import typer


def shipped(
    out: Annotated[Path, typer.Argument(help="Folder for the bundle and its tables.")],
    participants: Annotated[
        int | None, typer.Option(min=2, help="Simulated participants to train on.")
    ] = None,
    strangers: Annotated[
        int | None, typer.Option(min=2, help="Participants with maps of no domain.")
    ] = None,
    held_out: Annotated[
        int | None, typer.Option(min=2, help="Participants of each sort to validate, and to test.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the maps, hops counted.")
    ] = None,
    resolution: Annotated[int | None, typer.Option(help="Voxel size in mm.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of all randomness.")] = 0,
) -> None:
    """Simulate, train, calibrate, evaluate and pack hcp7-simulated.

    Without options it re-makes the shipped one; the same version gives the same bits on one
    machine.
    """
    from dataclasses import replace

    import torch

    from fmridecode.bids.derivatives import write_table
    from fmridecode.bundles.bundle import save
    from fmridecode.pipeline.device import make_repeatable
    from fmridecode.pipeline.shipped.evaluate import DICTIONARY, scores_table
    from fmridecode.pipeline.shipped.make import make_shipped
    from fmridecode.pipeline.shipped.recipe import NAME, ShippedRecipe
    from fmridecode.pipeline.training.train import HISTORY, HISTORY_DICTIONARY

    usual = ShippedRecipe()
    recipe = ShippedRecipe(
        participants=participants or usual.participants,
        strangers=strangers or usual.strangers,
        held_out=held_out or usual.held_out,
        resolution=resolution or usual.resolution,
        training=replace(usual.training, epochs=epochs or usual.training.epochs),
        seed=seed,
    )
    make_repeatable(1)  # another number of threads gives other bits
    made = make_shipped(recipe, device=torch.device("cpu"))
    table = scores_table(made.decoder)
    write_table(out / "scores.tsv", table, DICTIONARY)
    write_table(out / HISTORY, made.history, HISTORY_DICTIONARY)
    save(made.decoder, out / NAME)
    typer.echo(table.to_string(index=False, float_format="{:.3f}".format))
    typer.echo(f"The decoder: {(out / NAME).absolute()}")
