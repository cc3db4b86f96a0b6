"""Whether the conditions were decoded."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from markupsafe import Markup

from fmridecode.report.blocks import Fact
from fmridecode.report.findings.finding import Finding, plain
from fmridecode.report.group.facts import Metric, class_names, metrics, metrics_table, unseen
from fmridecode.report.group.permutation import Permutation, permutations
from fmridecode.report.numbers import count, enumeration, interval, number, p_value

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives


def found(derivatives: Derivatives) -> Finding | None:
    """Say how accurate the decoder is, beside chance and luck."""
    table = metrics_table(derivatives)
    rows = () if table is None else metrics(table)
    accuracy = next((each for each in rows if each.name == "accuracy"), None)
    if table is None or accuracy is None:
        return None
    tests = permutations(derivatives)
    return Finding(
        key="decoding",
        values={
            "table": table.path.name,
            "metrics": {
                each.name: {
                    "estimate": plain(each.estimate),
                    "ci_low": plain(each.low),
                    "ci_high": plain(each.high),
                    "chance": plain(each.chance),
                }
                for each in rows
            },
            "verdict": "above chance" if _above(accuracy) else "not above chance",
            "permutation_tests": [
                {name: plain(value) for name, value in asdict(each).items()} for each in tests
            ],
        },
        sentence=_sentence(derivatives, accuracy, tests),
        facts=(
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
        ),
    )


def _above(accuracy: Metric) -> bool:
    return accuracy.low > accuracy.chance


def _sentence(
    derivatives: Derivatives, accuracy: Metric, tests: tuple[Permutation, ...]
) -> Markup:
    names = class_names(derivatives)
    conditions = f"{count(len(names), 'condition')} ({enumeration(names)})" if names else "maps"
    compared = (
        "The interval lies above chance"
        if _above(accuracy)
        else "The interval includes chance, so the conditions cannot be said to be decoded"
    )
    scored = next((each for each in tests if not each.refitted), None)
    tested = (
        ""
        if scored is None
        else f" (one-sided permutation test within participants, {p_value(scored.p)})"
    )
    return Markup(
        "In <strong>{}</strong>, {} were decoded with an accuracy of <strong>{}</strong>, "
        "where chance is {}. {}{}.{}"
    ).format(
        count(accuracy.n_participants, "participant"),
        conditions,
        accuracy.written,
        number(accuracy.chance),
        compared,
        tested,
        _honest(derivatives),
    )


def _honest(derivatives: Derivatives) -> str:
    checked = unseen(derivatives)
    if checked.n_predictions == 0:
        return ""
    if checked.n_seen == 0:
        return (
            f" Each of the {count(checked.n_predictions, 'prediction')} comes from a decoder that "
            "had not seen the participant."
        )
    return (
        f" Of {count(checked.n_predictions, 'prediction')}, {checked.n_seen} come from a "
        "decoder that had seen the participant, and are left out."
    )
