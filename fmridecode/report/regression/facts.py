"""What the tables and sidecars say of a decoded number, shared by the sections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fmridecode.report.numbers import NOTHING, interval, number
from fmridecode.report.table import read_json

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives, Participant
    from fmridecode.report.table import Table

TITLES = {
    "r2": "R²",
    "mae": "Mean absolute error",
    "rmse": "Root mean squared error",
    "pearson_r": "Pearson r",
    "coverage_68": "Truth within the 68 % interval",
    "coverage_95": "Truth within the 95 % interval",
}
PREDICTORS = {
    "decoder": "Decoder",
    "ridge": "Ridge regression",
    "training-mean": "Mean of the training participants",
    "decoder-minus-ridge": "Decoder minus ridge regression",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One row of the scores."""

    predictor: str
    unit: str
    metric: str
    estimate: float
    low: float
    high: float
    p: float
    n_participants: int
    n_maps: int

    @property
    def written(self) -> str:
        """The estimate with its interval; errors in three digits that count."""
        if self.metric not in ("mae", "rmse"):
            return f"{number(self.estimate)} {interval(self.low, self.high)}".strip()
        bounds = f" [{cell(self.low)}, {cell(self.high)}]" if self.low == self.low else ""
        return cell(self.estimate) + bounds


def scores_table(derivatives: Derivatives) -> Table | None:
    """Read the scores."""
    return derivatives.table(
        "regression_scores", "predictor", "unit", "metric", "estimate", "ci_low", "ci_high", "p",
        "n_participants", "n_maps",
    )  # fmt: skip


def scores(table: Table) -> tuple[Score, ...]:
    """Return the scores in the table's order."""
    return tuple(
        Score(
            predictor=str(row["predictor"]),
            unit=str(row["unit"]),
            metric=str(row["metric"]),
            estimate=float(row["estimate"]),
            low=float(row["ci_low"]),
            high=float(row["ci_high"]),
            p=float(row["p"]),
            n_participants=int(row["n_participants"]),
            n_maps=int(row["n_maps"]),
        )
        for _, row in table.frame.iterrows()
    )


def chosen(found: tuple[Score, ...], predictor: str, metric: str) -> Score | None:
    """Return a score over participants, None where there is none."""
    wanted = (predictor, "participant", metric)
    return next((s for s in found if (s.predictor, s.unit, s.metric) == wanted), None)


def alignment_table(derivatives: Derivatives) -> Table | None:
    """Read how saliency agrees with the voxelwise regression."""
    return derivatives.table(
        "regression_alignment", "method", "reference", "pearson_r", "ci_low", "ci_high", "p",
        "n_participants",
    )  # fmt: skip


def participants_table(derivatives: Derivatives) -> Table | None:
    """Read what was predicted of each participant."""
    return derivatives.table(
        "regression_participants", "participant_id", "true", "predicted", "sd"
    )


def is_of_number(derivatives: Derivatives) -> bool:
    """Whether a number was decoded in this OUTPUT_DIR, not classes."""
    return any(derivatives.root.glob("sub-*/func/*_desc-regression_predictions.tsv"))


def is_unscored(derivatives: Derivatives) -> bool:
    """Whether the group level was run and nobody could be scored."""
    ran = any(derivatives.root.glob("logs/*_group_*.toml"))
    return ran and scores_table(derivatives) is None


def is_of_number_in(participant: Participant) -> bool:
    """Whether a participant's number was decoded."""
    return bool(participant.number_predictions())


def target_of(derivatives: Derivatives) -> tuple[str, str]:
    """Return name and unit of the number, from the first sidecar that says them."""
    for each in sorted(derivatives.root.glob("sub-*/func/*_saliency.json"))[:1]:
        said: dict[str, Any] = read_json(each)
        return str(said.get("TargetColumn", "the number")), str(said.get("TargetUnit", ""))
    return "the number", ""


def with_unit(derivatives: Derivatives) -> str:
    """Return the number's name, and its unit in brackets where it has one."""
    name, unit = target_of(derivatives)
    return f"{name} ({unit})" if unit else name


def cell(value: float) -> str:
    """Write a number in the units of the target: three digits that count."""
    return NOTHING if value != value else f"{value:.3g}".replace("-", "−")
