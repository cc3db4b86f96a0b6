"""Whether the decoder is better than a linear one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from fmridecode.report.findings.finding import Finding, plain
from fmridecode.report.group.comparison import compared, comparison_table
from fmridecode.report.numbers import number

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives


def found(derivatives: Derivatives) -> Finding | None:
    """Compare with the linear decoder on the same folds."""
    table = comparison_table(derivatives)
    rows = () if table is None else compared(table)
    accuracy = next((each for each in rows if each.metric == "accuracy"), None)
    if table is None or accuracy is None:
        return None
    return Finding(
        key="comparison",
        values={
            "table": table.path.name,
            "baseline": "linear decoder, standard training, same folds",
            "verdict": f"{accuracy.verdict} the baseline",
            "metrics": {
                each.metric: {
                    "decoder": plain(each.decoder),
                    "baseline": plain(each.baseline),
                    "difference": plain(each.difference),
                    "ci_low": plain(each.low),
                    "ci_high": plain(each.high),
                    "t": plain(each.t),
                    "df": each.df,
                    "p": plain(each.p),
                }
                for each in rows
            },
        },
        sentence=Markup(
            "The accuracy is {} that of a linear decoder trained on the same folds ({}; {})."
        ).format(accuracy.verdict, number(accuracy.baseline), accuracy.tested),
    )
