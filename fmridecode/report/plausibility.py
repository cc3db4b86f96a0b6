"""What the plausibility check says of every map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmridecode.report.table import Table, read_table

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlier:
    """A map that is out of line; ``source`` is its BIDS URI."""

    participant: str
    label: str
    source: str
    reasons: str


def plausibility_table(derivatives: Derivatives) -> Table | None:
    """Read ``logs/plausibility.tsv``, or return None."""
    return read_table(
        derivatives.root / "logs" / "plausibility.tsv",
        columns=("source", "participant_id", "label", "reasons"),
    )


def find_outliers(table: Table) -> tuple[Outlier, ...]:
    """Return the maps that have a reason, in the order of the table."""
    rows = table.frame[table.frame["reasons"].notna()]
    return tuple(
        Outlier(
            participant=str(row["participant_id"]),
            label=str(row["label"]),
            source=str(row["source"]),
            reasons=str(row["reasons"]),
        )
        for _, row in rows.iterrows()
    )
