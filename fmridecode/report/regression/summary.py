"""The plain-language summary of a decoded number; every number in it comes from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.blocks import Block, Fact, Facts, Missing, Prose
from fmridecode.report.numbers import count, interval, number, p_value
from fmridecode.report.regression.facts import (
    Score,
    alignment_table,
    cell,
    chosen,
    is_unscored,
    scores,
    scores_table,
    target_of,
)
from fmridecode.report.words import main_method
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Say in a few sentences what was found."""
    table = scores_table(derivatives)
    if is_unscored(derivatives):
        return (
            Prose(
                text="Nobody can be scored: no participant has a known number and a decoder that "
                "has not seen the participant. Doubts, below, counts why; what was predicted "
                "stands on the participants’ pages."
            ),
        )
    if table is None:
        return (
            Missing(
                what="There is nothing to summarise yet",
                file="group_desc-regression_scores.tsv",
                remedy="run the group level",
            ),
        )
    found, (name, unit) = scores(table), target_of(derivatives)
    r2, r, mae = (chosen(found, "decoder", metric) for metric in ("r2", "pearson_r", "mae"))
    if r2 is None or r is None or mae is None:
        return ()
    constant = chosen(found, "training-mean", "mae")
    facts = (
        Fact(value=number(r2.estimate), label="R²", note=_joined(r2, "training mean 0")),
        Fact(value=number(r.estimate), label="Pearson r", note=_joined(r, p_value(r.p))),
        Fact(
            value=f"{cell(mae.estimate)} {unit}".strip(),
            label="mean absolute error",
            note=f"{cell(constant.estimate)} by the training participants’ mean"
            if constant
            else "",
        ),
    )
    return (
        Facts(facts=facts),
        Prose(text=f"{_predictable(r2, name)} {_against_ridge(found)}".strip()),
        *_calibrated(found),
        *_aligned(derivatives),
    )


def _predictable(r2: Score, name: str) -> str:
    whole = f"{count(r2.n_participants, 'participant')}, none of whom the decoder had seen"
    if r2.low > 0:
        return (
            f"The {name} of {whole}, could be predicted from {count(r2.n_maps, 'map')}: the "
            f"interval of R² lies above 0 ({p_value(r2.p)} by permutation)."
        )
    return (
        f"That the {name} of {whole}, can be predicted from {count(r2.n_maps, 'map')} is not "
        f"shown: the interval of R² holds 0 or lies below ({p_value(r2.p)} by permutation)."
    )


def _against_ridge(found: tuple[Score, ...]) -> str:
    ridge, less = chosen(found, "ridge", "r2"), chosen(found, "decoder-minus-ridge", "r2")
    if ridge is None or less is None:
        return ""
    verdict = "no reliably different"
    if less.low > 0 or less.high < 0:
        verdict = "a lower" if less.low > 0 else "a higher"
    return (
        f"Ridge regression on the same folds had {verdict} R² ({ridge.written}; difference "
        f"{less.written})."
    )


def _calibrated(found: tuple[Score, ...]) -> tuple[Block, ...]:
    within = [chosen(found, "decoder", f"coverage_{share}") for share in (68, 95)]
    if within[0] is None or within[1] is None:
        return ()
    return (
        Prose(
            text=f"Of the truths, {number(100 * within[0].estimate, 0)} % lay within the "
            f"predicted 68 % intervals and {number(100 * within[1].estimate, 0)} % within the "
            "95 % intervals."
        ),
    )


def _aligned(derivatives: Derivatives) -> tuple[Block, ...]:
    table = alignment_table(derivatives)
    if table is None:
        return ()
    rows = table.frame[table.frame["reference"] == "test"]
    main = main_method([str(name) for name in rows["method"]])
    for _, row in rows[rows["method"] == main].iterrows():
        if row["n_participants"] > 0:
            return (
                Prose(
                    text=f"The {method_title(main)} saliency correlated with the voxelwise "
                    "regression over participants whom the decoder had not seen with r = "
                    f"{number(float(row['pearson_r']))} on average ({p_value(float(row['p']))}). "
                    "That regression is of few people and noisy, which bounds this correlation."
                ),
            )
    return ()


def _joined(score: Score, said: str) -> str:
    """Return the interval of a score, and what else is said of it."""
    return ", ".join(filter(None, (interval(score.low, score.high), said)))
