"""Whether maps depend on what was learnt and are stable, and what attacks a decoder bears."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fmridecode.report.findings.alignment import ranked
from fmridecode.report.findings.finding import Finding, plain, record
from fmridecode.report.numbers import count, enumeration, interval, number
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    import pandas as pd

    from fmridecode.report.derivatives import Derivatives

_MEASURES = {
    "members": "decoders of other seeds",
    "folds": "decoders of other folds, which have seen the participant",
    "sessions": "other sessions",
}


def sanity(derivatives: Derivatives) -> Finding | None:
    """Say whether the best methods' maps would survive random weights."""
    table = derivatives.table(
        "sanity_summary", "method", "randomised", "depth", "n_layers", "similarity", "value",
        "ci_low", "ci_high", "magnitude", "survives", "n_participants",
    )  # fmt: skip
    if table is None:
        return None
    rows = table.frame[table.frame["survives"].notna()]
    whole = rows[rows["randomised"] == "weights"]
    best = [each for each in _best(derivatives) if each in set(whole["method"])]
    if not best:
        return None
    return Finding(
        key="sanity",
        values={
            "table": table.path.name,
            "methods": [
                {
                    "method": str(method),
                    "survives": _survives(few),
                    "rank_correlations": [
                        record(row, "randomised", "similarity", "value", "ci_low", "ci_high",
                               "magnitude", "n_participants")
                        for _, row in few.iterrows()
                    ],
                }
                for method, few in rows.groupby("method", sort=False)
            ],
        },
        sentence=Markup(" ").join(_sanity(each, whole[whole["method"] == each]) for each in best),
    )  # fmt: skip


def _survives(rows: pd.DataFrame) -> bool:
    return bool((rows["survives"].astype(str).str.lower() == "true").any())


def _sanity(method: str, rows: pd.DataFrame) -> Markup:
    similar = enumeration(
        [
            f"{number(row['value'])} {interval(row['ci_low'], row['ci_high'])} "
            f"({'magnitudes' if str(row['similarity']).endswith('absolute') else 'signed'})"
            for _, row in rows.iterrows()
        ]
    )
    verdict = (
        "would <strong>survive</strong> random weights, and so say little of what was learnt"
        if _survives(rows)
        else "do not survive random weights, and so depend on what was learnt"
    )
    return Markup(
        "{} maps {} (rank correlation with those of the randomised decoder {}, n = {})."
    ).format(
        method_title(method),
        Markup(verdict),
        similar,
        count(int(rows["n_participants"].max()), "participant"),
    )


def reliability(derivatives: Derivatives) -> Finding | None:
    """Say how alike the best methods' maps are between decoders and sessions."""
    table = derivatives.table(
        "reliability_summary", "method", "measure", "value", "ci_low", "ci_high",
        "seen_in_training", "n_participants",
    )  # fmt: skip
    if table is None:
        return None
    frame = table.frame
    sentences = []
    for method in _best(derivatives):
        rows = frame[(frame["method"] == method) & frame["measure"].isin(list(_MEASURES))]
        if len(rows):
            said = enumeration(
                [
                    f"{number(row['value'])} {interval(row['ci_low'], row['ci_high'])} with those "
                    f"of {_MEASURES[str(row['measure'])]}"
                    for _, row in rows.iterrows()
                ]
            )
            sentences.append(
                Markup("{} maps correlate by {} (n = {}).").format(
                    method_title(method),
                    said,
                    count(int(rows["n_participants"].max()), "participant"),
                )
            )
    return Finding(
        key="reliability",
        values={
            "table": table.path.name,
            "measures": [
                record(row, "method", "measure", "value", "ci_low", "ci_high",
                       "seen_in_training", "n_participants")
                for _, row in frame.iterrows()
            ],
        },
        sentence=Markup(" ").join(sentences),
    )  # fmt: skip


def robustness(derivatives: Derivatives) -> Finding | None:
    """Say up to which strength of attack the accuracy stays above chance."""
    table = derivatives.table(
        "robustness_summary", "metric", "epsilon", "value", "ci_low", "ci_high", "chance",
        "steps", "n_participants",
    )  # fmt: skip
    if table is None:
        return None
    rows = table.frame[table.frame["metric"] == "accuracy"].sort_values("epsilon")
    attacked = rows[rows["epsilon"] > 0]
    if attacked.empty:
        return None
    holds = (rows["ci_low"] > rows["chance"]).cummin()
    bearable = attacked[holds[attacked.index]]
    strongest = None if bearable.empty else bearable.iloc[-1]
    return Finding(
        key="robustness",
        values={
            "table": table.path.name,
            "strongest_above_chance": None if strongest is None else plain(strongest["epsilon"]),
            "accuracy": [
                record(row, "epsilon", "value", "ci_low", "ci_high", "chance", "steps",
                       "n_participants")
                for _, row in rows.iterrows()
            ],
        },
        sentence=_robustness(attacked, strongest),
    )  # fmt: skip


def _robustness(attacked: pd.DataFrame, strongest: pd.Series[Any] | None) -> Markup:
    first = attacked.iloc[0]
    row = first if strongest is None else strongest
    claim = (
        "no longer above chance under the weakest attack that was tried"
        if strongest is None
        else "above chance for attacks of up to"
    )
    return Markup(
        "The accuracy is {} {:g} SD per voxel ({} {}; {:g} steps of projected gradient descent, "
        "n = {})."
    ).format(
        claim if strongest is not None else f"{claim},",
        row["epsilon"],
        number(row["value"]),
        interval(row["ci_low"], row["ci_high"]),
        row["steps"],
        count(int(row["n_participants"]), "participant"),
    )


def _best(derivatives: Derivatives) -> list[str]:
    """Return the best methods by CIA and CAD, each once."""
    _, by_criterion = ranked(derivatives)
    return list(dict.fromkeys(methods[0].method for methods in by_criterion.values()))
