"""What the tables say of the saliency methods, shared by summary and section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fmridecode.report.charts.estimates import Estimate
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    import pandas as pd

    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table

CRITERIA = ("CIA", "CAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodScore:
    """A saliency method's score by one criterion."""

    method: str
    estimate: Estimate
    standard_error: float
    n_participants: int
    n_maps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A paired test between two methods; ``n`` is the number of pairs of values."""

    method_a: str
    method_b: str
    difference: float
    t: float
    df: int
    p: float
    p_bonferroni: float

    @property
    def n(self) -> int:
        """How many differences the test is over."""
        return self.df + 1


def summary_table(derivatives: Derivatives) -> Table | None:
    """Read the scores of the methods."""
    return derivatives.table(
        "interpretability_summary", "method", "criterion", "mean", "standard_error",
        "ci_low", "ci_high", "n_maps", "n_participants",
    )  # fmt: skip


def tests_table(derivatives: Derivatives) -> Table | None:
    """Read the tests between the methods."""
    return derivatives.table(
        "interpretability_tests", "criterion", "unit", "method_a", "method_b", "difference",
        "t", "df", "p", "p_bonferroni",
    )  # fmt: skip


def participants_table(derivatives: Derivatives) -> Table | None:
    """Read the participants' own values."""
    return derivatives.table("participants_summary", "participant_id", "n_maps", "accuracy")


def scores(table: Table, criterion: str, participants: Table | None) -> tuple[MethodScore, ...]:
    """Return the methods' scores by one criterion, the best first."""
    rows = table.frame[table.frame["criterion"] == criterion]
    rows = rows.sort_values("mean", ascending=False, kind="stable")
    return tuple(
        MethodScore(
            method=str(row["method"]),
            estimate=Estimate(
                label=method_title(str(row["method"])),
                value=float(row["mean"]),
                low=float(row["ci_low"]),
                high=float(row["ci_high"]),
                single=_single(participants, f"{criterion}_{row['method']}"),
            ),
            standard_error=float(row["standard_error"]),
            n_participants=int(row["n_participants"]),
            n_maps=int(row["n_maps"]),
        )
        for _, row in rows.iterrows()
    )


def comparisons(table: Table, criterion: str, unit: str) -> tuple[Comparison, ...]:
    """Return the tests of one criterion over participants or examples."""
    rows = table.frame[(table.frame["criterion"] == criterion) & (table.frame["unit"] == unit)]
    return tuple(
        Comparison(
            method_a=str(row["method_a"]),
            method_b=str(row["method_b"]),
            difference=float(row["difference"]),
            t=float(row["t"]),
            df=_whole(row, "df"),
            p=float(row["p"]),
            p_bonferroni=float(row["p_bonferroni"]),
        )
        for _, row in rows.iterrows()
    )


def _whole(row: pd.Series[float], name: str) -> int:
    return int(row[name]) if np.isfinite(row[name]) else 0


def _single(participants: Table | None, column: str) -> tuple[float, ...]:
    if participants is None or column not in participants.frame:
        return ()
    return tuple(float(value) for value in participants.frame[column])
