"""``fmridecode-tools models``: list, show, verify, zip and export decoders."""

from pathlib import Path
from typing import Annotated, Optional

import typer

app = typer.Typer(
    no_args_is_help=True,
    help="Decoders to keep and share: list, show, verify, zip and export them.",
)

Model = Annotated[
    str,
    typer.Argument(
        help="A folder or zip, the name of a shipped one, an OUTPUT_DIR, or hf://owner/name."
    ),
]
OutputDir = Annotated[Path, typer.Argument(help="OUTPUT_DIR of a finished run.")]


@app.command("list")
def list_(
    output_dir: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Argument(help="OUTPUT_DIR of a run, to list its decoders too."),
    ] = None,
) -> None:
    """List the shipped decoders, and those of a run."""
    from fmridecode.pipeline.models import listed

    table = listed(output_dir)
    typer.echo(table.to_string(index=False) if len(table) else "No decoder is shipped.")


@app.command()
def show(model: Model) -> None:
    """Print the card of a decoder, and what its config says."""
    from fmridecode.pipeline.models import shown

    typer.echo(shown(model))


@app.command()
def verify(model: Model) -> None:
    """Check a decoder: its format, every field, its hashes and every tensor."""
    from fmridecode.pipeline.models import verified

    for bundle in verified(model):
        typer.echo(f"{bundle.hash}  {bundle.path}")


@app.command("zip")
def zip_(
    model: Model, target: Annotated[Path, typer.Argument(help="New file, such as decoder.zip.")]
) -> None:
    """Write a decoder as one zip."""
    from fmridecode.pipeline.models import zip_model

    typer.echo(f"{zip_model(model, target)}  {target}")


@app.command()
def export(
    output_dir: OutputDir,
    target: Annotated[Path, typer.Argument(help="New folder, or a name that ends in .zip.")],
    fold: Annotated[int, typer.Option(help="Fold to take; 0 takes the mean of all.")] = 0,
    title: Annotated[str, typer.Option(help="Heading of the model card.")] = "",
    description: Annotated[str, typer.Option(help="What it is, for the card.")] = "",
    limits: Annotated[str, typer.Option(help="What it is not for, for the card.")] = "",
    licence: Annotated[str, typer.Option(help="Licence, if not the data set's.")] = "",
) -> None:
    """Make one decoder of a run's folds, with the scores of its group level in the card."""
    from fmridecode.pipeline.models import Card, export

    card = Card(title=title, description=description, limits=limits, licence=licence)
    typer.echo(f"{export(output_dir, target, fold=fold, card=card)}  {target}")
