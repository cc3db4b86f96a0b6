"""What the tables say of the decoding, shared by summary and section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmridecode.report.numbers import interval, number

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One row of the decoding metrics."""

    name: str
    estimate: float
    low: float
    high: float
    n_participants: int
    n_maps: int
    chance: float

    @property
    def written(self) -> str:
        """The estimate with its interval."""
        return f"{number(self.estimate)} {interval(self.low, self.high)}".strip()

    @property
    def is_share(self) -> bool:
        """Whether it lies between 0 and 1 and more is better, as an accuracy."""
        return any(word in self.name for word in ("accuracy", "auc", "f1", "precision", "recall"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """How many predictions there are, and how many a decoder made that had seen the map."""

    n_predictions: int
    n_seen: int


def metrics_table(derivatives: Derivatives) -> Table | None:
    """Read the decoding metrics."""
    return derivatives.table(
        "decoding_metrics", "metric", "estimate", "ci_low", "ci_high", "n_participants",
        "n_maps", "chance",
    )  # fmt: skip


def metrics(table: Table) -> tuple[Metric, ...]:
    """Return the metrics in the table's order."""
    return tuple(
        Metric(
            name=str(row["metric"]),
            estimate=float(row["estimate"]),
            low=float(row["ci_low"]),
            high=float(row["ci_high"]),
            n_participants=int(row["n_participants"]),
            n_maps=int(row["n_maps"]),
            chance=float(row["chance"]),
        )
        for _, row in table.frame.iterrows()
    )


def class_names(derivatives: Derivatives) -> tuple[str, ...]:
    """Return the names of the classes, from the confusion counts."""
    table = derivatives.table("confusion_counts", "true_label")
    return () if table is None else tuple(str(name) for name in table.frame["true_label"])


def unseen(derivatives: Derivatives) -> Unseen:
    """Count the predictions of all participants by whether the decoder had seen the map."""
    columns = [
        table.frame["seen_in_training"]
        for participant in derivatives.participants()
        for table in (*participant.predictions(), *participant.number_predictions())
        if "seen_in_training" in table.frame
    ]
    return Unseen(
        n_predictions=sum(len(column) for column in columns),
        n_seen=sum(int(column.astype(bool).sum()) for column in columns),
    )
