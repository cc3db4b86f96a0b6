"""Which decoder made the participant's derivatives, and from which files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from fmridecode.report.blocks import Block, Column, Grid
from fmridecode.report.numbers import count, enumeration
from fmridecode.report.participant.overview import decoder_hashes

if TYPE_CHECKING:
    from pathlib import Path

    from fmridecode.report.derivatives import Participant


def build(participant: Participant) -> tuple[Block, ...]:
    """List decoder, sources and files."""
    rows: list[tuple[str, str]] = []
    tables = (*participant.predictions(), *participant.number_predictions())
    frames = [each.frame for each in tables if "fold" in each.frame]
    if frames:
        folds = list(dict.fromkeys(fold for each in frames for fold in each["fold"].dropna()))
        rows += [("Fold", enumeration(folds))] if folds else []
    rows += [
        ("Decoder", Markup("<code>{}</code>").format(each)) for each in decoder_hashes(participant)
    ]
    rows += [(key, value) for key, value in _from_sidecars(participant)]
    return (
        Grid(
            caption="Provenance, from the sidecars of the maps.",
            columns=(Column("What"), Column("Which")),
            rows=tuple(rows) or (("Nothing is recorded", ""),),
        ),
        _files(participant),
    )


def _from_sidecars(participant: Participant) -> list[tuple[str, str]]:
    wanted = {
        "SpatialReference": "Space",
        "Temperature": "Temperature",
        "TargetSource": "Number from",
        "TrainedOnParticipant": "Trained on this participant",
        "SoftwareVersion": "Software",
    }
    maps = (*participant.maps(), *participant.number_maps())
    rows = []
    for key, title in wanted.items():
        values = dict.fromkeys(str(each.sidecar[key]) for each in maps if key in each.sidecar)
        if values:
            rows.append((title, ", ".join(values)))
    return rows


def _files(participant: Participant) -> Grid:
    paths = [
        path
        for pattern in ("**/*.tsv", "**/*.nii.gz")
        for path in sorted(participant.folder.glob(pattern))
    ]
    return Grid(
        caption=f"{count(len(paths), 'file')} of this participant.",
        columns=(Column("File"),),
        rows=tuple((_anchor(participant, path),) for path in paths),
        opened=len(paths) <= 20,
    )


def _anchor(participant: Participant, path: Path) -> str:
    href = participant.derivatives.link(path)
    name = path.relative_to(participant.derivatives.root).as_posix()
    return Markup('<a href="{}">{}</a>').format(href, name)
