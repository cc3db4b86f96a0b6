"""How much the saliency maps look like the participants' activation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from fmridecode.report.blocks import Block, Column, Gallery, Grid, Key, Missing, Picture, Prose
from fmridecode.report.charts.estimates import (
    common_limits,
    estimates_height,
    estimates_width,
    paint_estimates,
)
from fmridecode.report.drawing import draw, source
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
from fmridecode.report.numbers import NOTHING, count, interval, number, p_value, whole
from fmridecode.report.words import CRITERIA as CRITERIA_TITLES
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from pathlib import Path

    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table

_EXPLANATION = Prose(
    text=Markup(
        "<strong>CIA</strong> (class informative activation) is the correlation, over the voxels "
        "of the brain, of the saliency map of a map’s true class with the participant’s "
        "activation in that class minus the mean over classes. <strong>CAD</strong> (class "
        "activation difference) is the correlation of the saliency map of each other class with "
        "that class’s activation minus the true one’s, averaged over the other classes. Both are "
        "signed Pearson correlations; 0 is what a map without any relation to the activation gets."
    )
)


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Show CIA and CAD of every method, and the tests between the methods."""
    table = summary_table(derivatives)
    if table is None:
        return (
            _EXPLANATION,
            Missing(
                what="CIA and CAD cannot be shown",
                file="group_desc-interpretability_summary.tsv",
                remedy="run the group level",
            ),
        )
    participants = participants_table(derivatives)
    by_criterion = {name: scores(table, name, participants) for name in CRITERIA}
    files = (table.path,) if participants is None else (table.path, participants.path)
    pictures = tuple(
        _picture(derivatives, criterion, found, files)
        for criterion, found in by_criterion.items()
        if found
    )
    gallery = Gallery(
        pictures=pictures,
        smallest=380,
        legend=(
            Key(css="accent", text="mean and 95 % bootstrap interval over participants"),
            Key(css="faint", text="one participant’s mean"),
        ),
    )
    return (
        _EXPLANATION,
        gallery,
        _scores_grid(derivatives, table, by_criterion),
        *_tests(derivatives),
    )


def _picture(
    derivatives: Derivatives,
    criterion: str,
    found: tuple[MethodScore, ...],
    files: tuple[Path, ...],
) -> Picture:
    rows = tuple(score.estimate for score in found)
    return draw(
        derivatives,
        f"group_{criterion}",
        lambda axes: paint_estimates(
            axes, rows, limits=common_limits(rows, include=0.0), reference=(0.0, "unrelated"),
            axis=f"{criterion} (Pearson correlation)",
        ),
        width=estimates_width(rows) + 0.4,
        height=estimates_height(rows) + 0.2,
        alt=f"{criterion} of each saliency method, the best first. "
        + " ".join(
            f"{row.label} {number(row.value)} {interval(row.low, row.high)}." for row in rows
        ),
        caption=(
            f"{criterion}, {CRITERIA_TITLES[criterion]}: "
            f"{count(found[0].n_maps, 'map')} of {count(found[0].n_participants, 'participant')}."
        ),
        sources=files,
    )  # fmt: skip


def _scores_grid(
    derivatives: Derivatives, table: Table, by_criterion: dict[str, tuple[MethodScore, ...]]
) -> Grid:
    methods = list(dict.fromkeys(s.method for found in by_criterion.values() for s in found))
    rows = []
    for method in methods:
        row = [method_title(method)]
        n_participants = n_maps = float("nan")
        for found in by_criterion.values():
            score = next((each for each in found if each.method == method), None)
            if score is None:
                row += [NOTHING] * 3
                continue
            estimate = score.estimate
            row += [
                number(estimate.value, 3),
                number(score.standard_error, 3),
                interval(estimate.low, estimate.high, 3),
            ]
            n_participants, n_maps = score.n_participants, score.n_maps
        rows.append((*row, whole(n_participants), whole(n_maps)))
    per_criterion = tuple(
        column
        for name in by_criterion
        for column in (
            Column(name, numeric=True, meaning=table.descriptions.get("mean", "")),
            Column("SE", numeric=True, meaning=table.descriptions.get("standard_error", "")),
            Column("95 % CI", numeric=True, meaning=table.descriptions.get("ci_low", "")),
        )
    )
    return Grid(
        caption="CIA and CAD of each saliency method: mean, standard error and 95 % bootstrap "
        "interval over participants.",
        columns=(
            Column("Method"),
            *per_criterion,
            Column("Participants", numeric=True),
            Column("Maps", numeric=True),
        ),
        rows=tuple(rows),
        sources=(source(derivatives, table.path),),
    )


def _tests(derivatives: Derivatives) -> tuple[Block, ...]:
    table = tests_table(derivatives)
    if table is None:
        return (
            Missing(
                what="The tests between methods cannot be shown",
                file="group_desc-interpretability_tests.tsv",
                remedy="run the group level",
            ),
        )
    by_participant = {name: comparisons(table, name, "participant") for name in CRITERIA}
    by_example = {name: comparisons(table, name, "example") for name in CRITERIA}
    if not any(by_participant.values()):
        return (Prose(text="There is one saliency method only, so there is nothing to test."),)
    return (
        _tests_grid(
            derivatives, table, by_participant, unit="participants’ means", opened=True, note=""
        ),
        _tests_grid(
            derivatives,
            table,
            by_example,
            unit="single maps",
            opened=False,
            note=" The maps of one participant are not independent, so these p-values are too "
            "small; they are given for comparison with the literature.",
        ),
    )


def _tests_grid(
    derivatives: Derivatives,
    table: Table,
    by_criterion: dict[str, tuple[Comparison, ...]],
    *,
    unit: str,
    opened: bool,
    note: str,
) -> Grid:
    pairs = {(c.method_a, c.method_b): None for found in by_criterion.values() for c in found}
    rows = []
    for a, b in pairs:
        row = [f"{method_title(a)} − {method_title(b)}"]
        for found in by_criterion.values():
            test = next((c for c in found if (c.method_a, c.method_b) == (a, b)), None)
            row += _cells(test)
        rows.append(tuple(row))
    corrected = table.descriptions.get("p_bonferroni", "")
    per_criterion = tuple(
        column
        for name in by_criterion
        for column in (
            Column(f"Δ {name}", numeric=True, meaning=table.descriptions.get("difference", "")),
            Column("t (df)", numeric=True, meaning=table.descriptions.get("t", "")),
            Column("p, corrected", numeric=True, meaning=corrected),
        )
    )  # fmt: skip
    largest = max((c.n for found in by_criterion.values() for c in found), default=0)
    return Grid(
        caption=f"Differences between methods over {unit} (n = {whole(largest)}): two-sided "
        f"paired t-tests, Bonferroni-corrected over {count(len(pairs), 'pair')} within a "
        f"criterion.{note}",
        columns=(Column("Difference"), *per_criterion),
        rows=tuple(rows),
        sources=(source(derivatives, table.path),),
        opened=opened,
    )


def _cells(test: Comparison | None) -> list[str]:
    if test is None:
        return [NOTHING] * 3
    p = p_value(test.p_bonferroni, symbol=False)
    return [
        number(test.difference, 3),
        f"{number(test.t)} ({whole(test.df)})",
        Markup("<strong>{}</strong>").format(p) if test.p_bonferroni < 0.05 else p,
    ]
