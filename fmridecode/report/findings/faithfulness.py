"""Whether the maps that look most like activation are faithful to the decoder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fmridecode.report.findings.alignment import ranked
from fmridecode.report.findings.finding import Finding, record
from fmridecode.report.numbers import count, interval, number
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    import pandas as pd

    from fmridecode.report.derivatives import Derivatives

REFERENCE = "smooth-random"
_COLUMNS = ("method", "order", "replacement", "curve", "reference", "gain", "ci_low", "ci_high",
            "n_maps", "n_participants")  # fmt: skip

Gains = dict[tuple[str, str], "pd.Series[Any]"]
"""Order and curve to the row of the table."""


def found(derivatives: Derivatives) -> Finding | None:
    """Say it of the best method by CIA and, where that is another one, by CAD."""
    table = derivatives.table("faithfulness_summary", *_COLUMNS)
    _, by_criterion = ranked(derivatives)
    best = list(dict.fromkeys(methods[0].method for methods in by_criterion.values()))
    if table is None or not best:
        return None
    frame = table.frame
    frame = frame[(frame["replacement"] == "zero") & (frame["reference"] == REFERENCE)]
    gains: dict[str, Gains] = {
        method: {
            (str(row["order"]), str(row["curve"])): row
            for _, row in frame[frame["method"] == method].iterrows()
        }
        for method in best
    }
    tested = {method: rows for method, rows in gains.items() if _main(rows)}
    if not tested:
        return None
    return Finding(
        key="faithfulness",
        values={
            "table": table.path.name,
            "reference": REFERENCE,
            "replacement": "zero",
            "methods": [
                {
                    "method": method,
                    "verdict": verdict(rows),
                    "gains": [
                        {"order": order, "curve": curve,
                         **record(row, "gain", "ci_low", "ci_high", "n_participants", "n_maps")}
                        for (order, curve), row in rows.items()
                    ],
                }
                for method, rows in tested.items()
            ],
        },
        sentence=Markup(" ").join(_sentence(method, rows) for method, rows in tested.items()),
    )  # fmt: skip


def verdict(gains: Gains) -> str:
    """Say what the intervals of deletion and insertion, by magnitude of saliency, allow."""
    main = _main(gains)
    above = [float(row["ci_low"]) > 0 for row in main.values()]
    below = [float(row["ci_high"]) < 0 for row in main.values()]
    if all(above):
        return "faithful"
    if any(below):
        return "less faithful than random maps in part" if any(above) else (
            "less faithful than random maps"
        )  # fmt: skip
    return "faithful in part" if any(above) else "not distinguishable from random maps"


def _main(gains: Gains) -> Gains:
    return {key: row for key, row in gains.items() if key[0] == "absolute"}


def _written(rows: Gains) -> str:
    return " and ".join(
        f"{number(row['gain'], 3)} {interval(row['ci_low'], row['ci_high'], 3)} in {curve}"
        for (_, curve), row in rows.items()
    )


def _sentence(method: str, gains: Gains) -> Markup:
    main = _main(gains)
    first = next(iter(main.values()))
    signed = {key: row for key, row in gains.items() if key[0] == "signed"}
    also = f"; by signed saliency {_written(signed)}" if signed else ""
    claim = {
        "faithful": "are <strong>faithful</strong> to it",
        "faithful in part": "are faithful to it by one of two measures",
        "not distinguishable from random maps": "are <strong>not distinguishably</strong> more "
        "faithful to it than random maps as smooth as they are",
        "less faithful than random maps in part": "are less faithful to it than random maps as "
        "smooth as they are by one of two measures",
        "less faithful than random maps": "are <strong>less faithful</strong> to it than random "
        "maps as smooth as they are",
    }[verdict(gains)]
    return Markup(
        "When voxels are replaced by 0, or put back, in the order of a map’s magnitude, {} maps "
        "{} (gain in probability over random maps as smooth: {}{}; 95 % bootstrap intervals, n = "
        "{})."
    ).format(
        method_title(method),
        Markup(claim),
        _written(main),
        also,
        count(int(first["n_participants"]), "participant"),
    )
