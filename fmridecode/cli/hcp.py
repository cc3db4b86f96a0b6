"""``fmridecode-tools hcp``."""

from pathlib import Path
from typing import Annotated, Literal, Optional

import typer

HcpDir = Annotated[Path, typer.Argument(help="Download with the participants' folders.")]
BidsOut = Annotated[Path, typer.Argument(help="New folder for the data set.")]
Level2 = Annotated[
    Literal["s2", "s4"], typer.Option(help="Smoothing of the second-level maps, 2 or 4 mm.")
]
Stat = Annotated[Literal["cope", "zstat"], typer.Option(help="Effect sizes or z values.")]
HowToLink = Annotated[
    Literal["symlink", "hardlink", "copy"],
    typer.Option(help="How the maps come to the new folder; the download is only read."),
]
Restricted = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option(help="Your own restricted data of HCP (CSV), for the families."),
]
FamilyColumn = Annotated[str, typer.Option(help="Its column with the families.")]


def hcp(
    hcp_dir: HcpDir,
    bids_out: BidsOut,
    level2: Level2 = "s4",
    stat: Stat = "cope",
    link: HowToLink = "symlink",
    restricted: Restricted = None,
    family_column: FamilyColumn = "Family_ID",
) -> None:
    """Make a BIDS derivative of the seven tasks from a download of HCP 1200."""
    from fmridecode.pipeline.hcp import HcpConfig, import_hcp

    config = HcpConfig(
        level2=level2,
        stat=stat,
        link=link,
        restricted=restricted,
        family_column=family_column,
    )
    n_maps = import_hcp(hcp_dir, bids_out, config)
    typer.echo(f"{n_maps} maps: {bids_out.absolute()}")
    typer.echo(f"The paper's run: fmridecode {bids_out} OUTPUT_DIR participant --preset paper")
