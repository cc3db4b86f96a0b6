"""Which saliency maps look most like the participants' activation."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fmridecode.report.blocks import Fact
from fmridecode.report.findings.finding import Finding, plain
from fmridecode.report.group.alignment import (
    CRITERIA,
    Comparison,
    MethodScore,
    comparisons,
    participants_table,
    scores,
    summary_table,
    tests_table,
)
from fmridecode.report.numbers import count, interval, number, p_value
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table


def ranked(derivatives: Derivatives) -> tuple[Table | None, dict[str, tuple[MethodScore, ...]]]:
    """Return the methods by each criterion, the best first."""
    table = summary_table(derivatives)
    if table is None:
        return None, {}
    participants = participants_table(derivatives)
    found = {name: scores(table, name, participants) for name in CRITERIA}
    return table, {name: each for name, each in found.items() if each}


def found(derivatives: Derivatives) -> Finding | None:
    """Name the best method by each criterion, and whether it is better than the second."""
    table, by_criterion = ranked(derivatives)
    if table is None or not by_criterion:
        return None
    tests = tests_table(derivatives)
    values: dict[str, Any] = {"table": table.path.name}
    sentences, facts = [], []
    for criterion, methods in by_criterion.items():
        best = methods[0]
        pairs = () if tests is None else comparisons(tests, criterion, "participant")
        test = _test(best, methods[1], pairs) if len(methods) > 1 else None
        values[criterion] = {
            "best": best.method,
            "methods": [_scored(each) for each in methods],
            "best_against_second": None
            if test is None
            else {name: plain(each) for name, each in asdict(test).items()},
        }
        sentences.append(
            Markup("By {}, <strong>{}</strong> maps resemble it most ({} {}){}.").format(
                criterion,
                best.estimate.label,
                number(best.estimate.value),
                interval(best.estimate.low, best.estimate.high),
                "" if test is None else _against(methods[1], test, len(pairs)),
            )
        )
        note = f"{best.estimate.label} {interval(best.estimate.low, best.estimate.high)}"
        facts.append(Fact(value=number(best.estimate.value), label=f"best {criterion}", note=note))
    return Finding(
        key="alignment",
        values=values,
        sentence=Markup(
            "Saliency maps say which voxels speak for a condition; the correlations CIA and CAD "
            "say how much such a map resembles the participant’s own activation. {} Alignment "
            "with activation does not show that a map is faithful to the decoder."
        ).format(Markup(" ").join(sentences)),
        facts=tuple(facts),
    )


def _scored(score: MethodScore) -> dict[str, Any]:
    return {
        "method": score.method,
        "mean": plain(score.estimate.value),
        "ci_low": plain(score.estimate.low),
        "ci_high": plain(score.estimate.high),
        "n_participants": score.n_participants,
        "n_maps": score.n_maps,
    }


def _test(
    best: MethodScore, second: MethodScore, pairs: tuple[Comparison, ...]
) -> Comparison | None:
    wanted = {best.method, second.method}
    return next((each for each in pairs if {each.method_a, each.method_b} == wanted), None)


def _against(second: MethodScore, test: Comparison, n_pairs: int) -> str:
    more = "more than" if test.p_bonferroni < 0.05 else "though not distinguishably more than"
    return (
        f", {more} {method_title(second.method)} ({number(second.estimate.value)}; paired "
        f"t({test.df}) = {number(abs(test.t))}, Bonferroni-corrected "
        f"{p_value(test.p_bonferroni)} over {count(n_pairs, 'pair')}, n = {test.n} participants)"
    )
