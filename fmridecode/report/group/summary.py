"""The plain-language summary; every number in it comes from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from fmridecode.report.blocks import Block, Fact, Facts, Missing, Prose
from fmridecode.report.group.alignment import (
    Comparison,
    MethodScore,
    comparisons,
    participants_table,
    scores,
    summary_table,
    tests_table,
)
from fmridecode.report.group.facts import Metric, class_names, metrics, metrics_table, unseen
from fmridecode.report.numbers import count, enumeration, interval, number, p_value
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Say in a few sentences what was found."""
    table = metrics_table(derivatives)
    if table is None:
        return (
            Missing(
                what="There is nothing to summarise yet",
                file="group_desc-decoding_metrics.tsv",
                remedy="run the group level",
            ),
        )
    accuracy = next((each for each in metrics(table) if each.name == "accuracy"), None)
    facts: list[Fact] = []
    blocks: list[Block] = []
    if accuracy is not None:
        facts += _decoding_facts(accuracy)
        blocks.append(_decoding(derivatives, accuracy))
    aligned = _alignment(derivatives)
    if aligned is not None:
        best, prose = aligned
        facts += [
            Fact(
                value=number(score.estimate.value),
                label=f"best {criterion}",
                note=f"{score.estimate.label} {interval(score.estimate.low, score.estimate.high)}",
            )
            for criterion, score in best.items()
        ]
        blocks.append(prose)
    return (Facts(facts=tuple(facts)), *blocks)


def _decoding_facts(accuracy: Metric) -> list[Fact]:
    return [
        Fact(
            value=number(accuracy.estimate),
            label="accuracy",
            note=f"{interval(accuracy.low, accuracy.high)}, chance {number(accuracy.chance)}",
        ),
        Fact(
            value=str(accuracy.n_participants),
            label="participants",
            note=count(accuracy.n_maps, "map"),
        ),
    ]


def _decoding(derivatives: Derivatives, accuracy: Metric) -> Prose:
    names = class_names(derivatives)
    conditions = f"{count(len(names), 'condition')} ({enumeration(names)})" if names else "maps"
    if accuracy.low > accuracy.chance:
        compared = "The interval lies above chance"
    else:
        compared = "The interval includes chance, so the conditions cannot be said to be decoded"
    checked = unseen(derivatives)
    if checked.n_predictions == 0:
        honest = ""
    elif checked.n_seen == 0:
        honest = (
            f" Each of the {count(checked.n_predictions, 'prediction')} comes from a decoder that "
            "had not seen the participant."
        )
    else:
        honest = (
            f" Of {count(checked.n_predictions, 'prediction')}, {checked.n_seen} come from a "
            "decoder that had seen the participant, and are left out."
        )
    return Prose(
        text=Markup(
            "In <strong>{}</strong>, {} were decoded with an accuracy of <strong>{}</strong>, "
            "where chance is {}. {}.{}"
        ).format(
            count(accuracy.n_participants, "participant"),
            conditions,
            accuracy.written,
            number(accuracy.chance),
            compared,
            honest,
        )
    )


def _alignment(derivatives: Derivatives) -> tuple[dict[str, MethodScore], Prose] | None:
    table = summary_table(derivatives)
    if table is None:
        return None
    participants = participants_table(derivatives)
    ranked = {name: scores(table, name, participants) for name in ("CIA", "CAD")}
    best = {name: found[0] for name, found in ranked.items() if found}
    if not best:
        return None
    tests = tests_table(derivatives)
    sentences = []
    for criterion, score in best.items():
        rivals = ranked[criterion][1:]
        pairs = () if tests is None else comparisons(tests, criterion, "participant")
        against = _against(score, rivals[0], pairs) if rivals else ""
        sentences.append(
            Markup("By {}, <strong>{}</strong> maps resemble it most ({} {}){}.").format(
                criterion,
                score.estimate.label,
                number(score.estimate.value),
                interval(score.estimate.low, score.estimate.high),
                against,
            )
        )
    return best, Prose(
        text=Markup(
            "Saliency maps say which voxels speak for a condition; the correlations CIA and CAD "
            "say how much such a map resembles the participant’s own activation. {} Alignment "
            "with activation does not show that a map is faithful to the decoder."
        ).format(Markup(" ").join(sentences))
    )


def _against(best: MethodScore, second: MethodScore, pairs: tuple[Comparison, ...]) -> str:
    for pair in pairs:
        if {pair.method_a, pair.method_b} == {best.method, second.method}:
            more = (
                "more than" if pair.p_bonferroni < 0.05 else "though not distinguishably more than"
            )
            return (
                f", {more} {method_title(second.method)} ({number(second.estimate.value)}; paired "
                f"t({pair.df}) = {number(abs(pair.t))}, Bonferroni-corrected "
                f"{p_value(pair.p_bonferroni)} over {count(len(pairs), 'pair')}, n = {pair.n} "
                "participants)"
            )
    return ""
