"""How parcels interact in the decoders, over participants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from fmridecode.report.blocks import Block, Column, Grid, Heading, Missing, Picture, Prose
from fmridecode.report.charts.interactions import interactions_picture
from fmridecode.report.drawing import source
from fmridecode.report.interactions import Matrix, plain_name, significant
from fmridecode.report.numbers import count, number, p_value, whole
from fmridecode.report.participant.interactions import READING

if TYPE_CHECKING:
    import pandas as pd

    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table

LISTED = 20
ALIKE = 0.2
"""Correlation of matrices by one decoder from which on their tests are called doubtful; on real
maps it was .45, and .03 to .15 between decoders."""
_PAIRS = ("label", "target", "atlas", "parcel_a", "parcel_b", "mean", "standard_error", "t", "df",
          "q", "p_fwe", "n_participants")  # fmt: skip
_TESTS = ("label", "target", "atlas", "n_participants", "n_parcels", "pairs_positive",
          "pairs_negative", "n_pairs", "n_permutations", "softplus_beta", "n_decoders",
          "r_same_decoder", "r_other_decoders")  # fmt: skip


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Show the mean matrix of every class, and the pairs of which it is made."""
    pairs = derivatives.table("interactions_pairs", *_PAIRS)
    tests = derivatives.table("interactions_tests", *_TESTS)
    if pairs is None or tests is None or tests.frame.empty:
        return (
            Missing(
                what="How parcels interact was not asked for",
                file="group_desc-interactions_pairs.tsv",
                remedy="run the participant level with --saliency gradient smoothgrad hessian and "
                "--atlas NAME, then the group level; nothing is trained anew",
            ),
        )
    blocks: list[Block] = [Prose(text=READING), *_explanation(tests), *_doubts(tests)]
    for _, test in tests.frame.iterrows():
        rows = _of(pairs.frame, test)
        blocks += [
            Heading(
                text=str(test["target"]),
                note=f"{count(test['n_parcels'], 'parcel')} of {test['atlas']}",
            ),
            Prose(text=_sentence(test, rows)),
            _picture(derivatives, pairs, test, rows),
            _grid(derivatives, pairs, test, rows),
        ]
    return tuple(blocks)


def _of(frame: pd.DataFrame, test: pd.Series[Any]) -> pd.DataFrame:
    keys = ["label", "target", "atlas"]
    chosen: pd.DataFrame = frame[(frame[keys] == test[keys]).all(axis=1)]
    return chosen


def _explanation(tests: Table) -> tuple[Block, ...]:
    permutations = int(tests.frame["n_permutations"].max())
    betas = tests.frame["softplus_beta"].dropna()
    said = []
    if permutations:
        said.append(
            "Each pair’s interaction is tested against 0 over participants (one-sample t, "
            f"two-sided, n = {whole(tests.frame['n_participants'].max())}); p is corrected for "
            f"all pairs of a class by the largest |t| over {whole(permutations)} random changes "
            "of the participants’ signs."
        )
    else:
        said.append("The interactions are not tested over participants.")
    if len(betas):
        said.append(
            "The decoders’ rectified units, which have no curvature, were replaced by softplus "
            f"(β = {number(betas.mean(), 0)} on average)."
        )
    return (Prose(text=" ".join(said)),)


def _doubts(tests: Table) -> tuple[Block, ...]:
    """Say how far the matrices are the decoders' rather than the participants'."""
    alike = float(tests.frame["r_same_decoder"].mean())
    if not alike >= ALIKE:
        return ()
    return (
        Prose(
            text=Markup(
                "<strong>Careful:</strong> participants explained by the same decoder have "
                "similar interactions (r = {}). They are the decoder’s rather than the "
                "participant’s, so the participants are not independent and p is far too small: "
                "it says that {}, trained on overlapping participants, agree. It is no inference "
                "about the population."
            ).format(number(alike), count(tests.frame["n_decoders"].max(), "decoder"))
        ),
    )


def _apart(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of different parcels, the strongest first."""
    apart = rows[rows["parcel_a"] != rows["parcel_b"]]
    return apart.reindex(apart["mean"].abs().sort_values(ascending=False, kind="stable").index)


def _sentence(test: pd.Series[Any], rows: pd.DataFrame) -> str:
    first = _apart(rows).iloc[0]
    a, b = plain_name(str(first["parcel_a"])), plain_name(str(first["parcel_b"]))
    said = (
        f"The strongest interaction is between {a} and {b}: more activation in one makes more "
        f"activation in the other speak {'more' if first['mean'] > 0 else 'less'} for "
        f"{test['target']} (mean {significant(first['mean'])}"
    )
    if np.isfinite(first["p_fwe"]):
        said += f", corrected {p_value(first['p_fwe'])}"
    said += ")."
    if int(test["n_permutations"]):
        survive = int(test["pairs_positive"]) + int(test["pairs_negative"])
        said += (
            f" {whole(survive)} of {count(test['n_pairs'], 'pair')} of different parcels have an "
            f"interaction of the same sign over participants (corrected p < 0.05; "
            f"{whole(test['pairs_positive'])} positive, {whole(test['pairs_negative'])} negative)."
        )
    return said


def _matrix(rows: pd.DataFrame) -> Matrix:
    names = tuple(dict.fromkeys(map(str, rows["parcel_b"])))
    a, b = np.triu_indices(len(names))
    values = np.zeros((len(names),) * 2)
    values[a, b] = values[b, a] = rows["mean"].to_numpy(dtype=np.float64)
    return Matrix(names=names, values=values)


def _picture(
    derivatives: Derivatives, pairs: Table, test: pd.Series[Any], rows: pd.DataFrame
) -> Picture:
    n = count(test["n_participants"], "participant")
    return interactions_picture(
        derivatives,
        f"group_interactions_{test['target']}_{test['atlas']}",
        _matrix(rows),
        alt=f"{test['target']}: mean interactions of {count(test['n_parcels'], 'parcel')} over "
        f"{n}. {_sentence(test, rows)}",
        caption=f"{test['target']}: mean interactions over {n} in log-odds per SD and SD.",
        sources=(pairs.path,),
    )


def _grid(
    derivatives: Derivatives, pairs: Table, test: pd.Series[Any], rows: pd.DataFrame
) -> Grid:
    meaning = pairs.descriptions.get
    apart = _apart(rows)[:LISTED]
    return Grid(
        caption=f"{test['target']}: the {len(apart)} pairs of different parcels with the "
        "strongest mean interaction.",
        columns=(
            Column("Parcel"),
            Column("Parcel"),
            Column("Mean", numeric=True, meaning=meaning("mean", "")),
            Column("Standard error", numeric=True, meaning=meaning("standard_error", "")),
            Column("t (df)", numeric=True, meaning=meaning("t", "")),
            Column("p corrected", numeric=True, meaning=meaning("p_fwe", "")),
            Column("q", numeric=True, meaning=meaning("q", "")),
        ),
        rows=tuple(
            (
                plain_name(str(row["parcel_a"])),
                plain_name(str(row["parcel_b"])),
                significant(row["mean"]),
                significant(row["standard_error"]),
                f"{number(row['t'], 1)} ({whole(row['df'])})",
                p_value(row["p_fwe"], symbol=False),
                p_value(row["q"], symbol=False),
            )
            for _, row in apart.iterrows()
        ),
        sources=(source(derivatives, pairs.path),),
        opened=False,
    )
