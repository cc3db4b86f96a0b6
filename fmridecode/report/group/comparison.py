"""Whether the decoder is better than a linear one on the same folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Column, Grid, Prose
from fmridecode.report.drawing import source
from fmridecode.report.numbers import interval, number, p_value, whole
from fmridecode.report.words import metric as metric_title

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table

_COLUMNS = (
    "metric", "decoder", "baseline", "baseline_low", "baseline_high", "difference", "ci_low",
    "ci_high", "t", "df", "p", "p_sign_flip", "n_participants", "n_maps",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One metric of the decoder and of the linear one, their difference and its test."""

    metric: str
    decoder: float
    baseline: float
    difference: float
    low: float
    high: float
    t: float
    df: int
    p: float
    n_participants: int

    @property
    def verdict(self) -> str:
        """What the test allows to say of the decoder's accuracy."""
        if not self.p < 0.05:
            return "not distinguishable from"
        return "above" if self.difference > 0 else "below"

    @property
    def tested(self) -> str:
        """The difference with its interval and its test, as in a paper."""
        return (
            f"difference {number(self.difference, 3)} {interval(self.low, self.high, 3)}, paired "
            f"t({whole(self.df)}) = {number(self.t)}, {p_value(self.p)}, "
            f"n = {whole(self.n_participants)} participants"
        )


def comparison_table(derivatives: Derivatives) -> Table | None:
    """Read the comparison with the linear decoder; None where there was none."""
    return derivatives.table("decoding_comparison", *_COLUMNS)


def compared(table: Table) -> tuple[Compared, ...]:
    """Return the metrics that were compared."""
    return tuple(
        Compared(
            metric=str(row["metric"]),
            decoder=float(row["decoder"]),
            baseline=float(row["baseline"]),
            difference=float(row["difference"]),
            low=float(row["ci_low"]),
            high=float(row["ci_high"]),
            t=float(row["t"]),
            df=int(row["df"]),
            p=float(row["p"]),
            n_participants=int(row["n_participants"]),
        )
        for _, row in table.frame.iterrows()
    )


def comparison(derivatives: Derivatives) -> tuple[Block, ...]:
    """Return a sentence and a table; nothing where there was no comparison."""
    table = comparison_table(derivatives)
    if table is None:
        return ()
    meaning, n = table.descriptions.get, whole(table.frame["n_participants"].max())
    prose = tuple(
        Prose(
            text=f"The accuracy, {number(each.decoder, 3)}, is {each.verdict} that of a linear "
            f"decoder trained without perturbations on the same folds, "
            f"{number(each.baseline, 3)}: {each.tested}."
        )
        for each in compared(table)
        if each.metric == "accuracy"
    )
    grid = Grid(
        caption=f"Comparison with the linear decoder, paired over participants (n = {n}): "
        "differences with 95 % bootstrap intervals, two-sided paired t-tests and sign-flip "
        "permutation tests. Of log loss and Brier score less is better.",
        columns=(
            Column("Metric", meaning=meaning("metric", "")),
            Column("Decoder", numeric=True, meaning=meaning("decoder", "")),
            Column("Linear", numeric=True, meaning=meaning("baseline", "")),
            Column("Difference", numeric=True, meaning=meaning("difference", "")),
            Column("95 % CI", numeric=True, meaning=meaning("ci_low", "")),
            Column("t (df)", numeric=True, meaning=meaning("t", "")),
            Column("p", numeric=True, meaning=meaning("p", "")),
            Column("p, sign flips", numeric=True, meaning=meaning("p_sign_flip", "")),
        ),
        rows=tuple(
            (
                metric_title(str(row["metric"])),
                number(row["decoder"], 3),
                number(row["baseline"], 3),
                number(row["difference"], 3),
                interval(row["ci_low"], row["ci_high"], 3),
                f"{number(row['t'])} ({whole(row['df'])})",
                p_value(row["p"], symbol=False),
                p_value(row["p_sign_flip"], symbol=False),
            )
            for _, row in table.frame.iterrows()
        ),
        sources=(source(derivatives, table.path),),
    )
    return (*prose, grid)
