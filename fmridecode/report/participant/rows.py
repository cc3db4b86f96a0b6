"""The participant's predictions and scores of all sessions, shared by the sections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

    from fmridecode.report.derivatives import Participant
    from fmridecode.report.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Rows of one or more tables, and the files they stood in."""

    frame: pd.DataFrame
    files: tuple[Path, ...]
    descriptions: dict[str, str]


def predictions(participant: Participant) -> Rows | None:
    """Return the predictions of every session, or None when there are none."""
    return _joined(participant.predictions())


def scores(participant: Participant) -> Rows | None:
    """Return the scores of every session, or None when there are none."""
    return _joined(participant.scores())


def probability_columns(rows: Rows) -> list[str]:
    """Return the columns of the classes' probabilities."""
    return [name for name in rows.frame.columns if name.startswith("prob_")]


def with_session(label: str, session: object) -> str:
    """Name a map by its class, and its session where there are several.

    >>> with_session("heat", "ses-1"), with_session("heat", float("nan"))
    ('heat (ses-1)', 'heat')
    """
    return f"{label} ({session})" if isinstance(session, str) else label


def _joined(tables: tuple[Table, ...]) -> Rows | None:
    tables = tuple(table for table in tables if len(table.frame))
    if not tables:
        return None
    return Rows(
        frame=pd.concat([table.frame for table in tables], ignore_index=True),
        files=tuple(table.path for table in tables),
        descriptions=tables[0].descriptions,
    )
