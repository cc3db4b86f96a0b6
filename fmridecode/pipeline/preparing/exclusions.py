"""Participants that were left out, one small table each so that parallel jobs do not collide."""

from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from fmridecode.bids.derivatives import read_table, write_table

DICTIONARY = {
    "participant_id": "Participant that was left out.",
    "reason": "Why, and what can be done.",
}


def record_exclusions(
    output_dir: Path, excluded: Mapping[str, str], *, done: Collection[str]
) -> None:
    """Write down who was left out and why, and strike out whom an earlier run left out."""
    for participant, reason in excluded.items():
        row = pd.DataFrame([{"participant_id": f"sub-{participant}", "reason": reason}])
        write_table(_path(output_dir, participant), row, DICTIONARY)
    for participant in done:
        for ending in (".tsv", ".json"):
            _path(output_dir, participant).with_suffix(ending).unlink(missing_ok=True)


def write_exclusions(output_dir: Path) -> None:
    """Put the records of all participants into one group table."""
    records = [read_table(path) for path in sorted((output_dir / "logs").glob("*_excluded.tsv"))]
    empty = pd.DataFrame(columns=list(DICTIONARY))
    table = pd.concat(records, ignore_index=True) if records else empty
    write_table(output_dir / "group_desc-excluded_participants.tsv", table, DICTIONARY)


def _path(output_dir: Path, participant: str) -> Path:
    return output_dir / "logs" / f"sub-{participant}_excluded.tsv"
