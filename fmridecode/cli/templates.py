"""``fmridecode-tools templates``."""

from pathlib import Path
from typing import Annotated, Optional

import typer

Home = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Argument(help="Archive to fill; TEMPLATEFLOW_HOME by default.", show_default=False),
]
Space = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option(help="Templates; all that fmridecode knows by default.", show_default=False),
]
SourceDir = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(help="Archive to copy from instead of the network.", show_default=False),
]


def templates(home: Home = None, space: Space = None, source: SourceDir = None) -> None:
    """Store the templates that fmridecode uses, MD5 verified, for machines without a network."""
    from fmridecode.bids.template_store import known_spaces, store_templates
    from fmridecode.bids.templateflow import TemplateFlow

    flow = TemplateFlow() if home is None else TemplateFlow(home=home)
    for each in store_templates(flow, space or known_spaces(), source):
        typer.echo(f"{flow.home}: {each.space}, {each.verified} files verified")
