"""What a study leaves to be read: tables, a figure, and a summary in Markdown."""

import io
from pathlib import Path

import pandas as pd

from fmridecode.bids.atomic import write_atomically
from fmridecode.bids.derivatives import write_table
from fmridecode.pipeline.group.decoding_statistics import class_names
from fmridecode.pipeline.participant.decode import predictions_dictionary
from fmridecode.pipeline.study.claims import ALPHA, CLAIMS_DICTIONARY, claims_table
from fmridecode.pipeline.study.data import StudyResults
from fmridecode.pipeline.study.rows import TITLES
from fmridecode.pipeline.study.run import SCORES_DICTIONARY
from fmridecode.pipeline.study.tables import (
    ACCURACY_TESTS_DICTIONARY,
    CRITERIA,
    INTERPRETABILITY_TESTS_DICTIONARY,
    KNOWN,
    OWN,
    STAND_IN_DICTIONARY,
    STUDY_DICTIONARY,
    accuracy_tests,
    interpretability_tests,
    stand_in,
    study_table,
)
from fmridecode.report.charts.study import StudyRow, study_figure

TEXT = """\
# Nine rows of decoders and saliency methods

{what} Every number comes from test participants that the decoder never saw. CIA and CAD are
means over participants ± standard errors over participants. `study.tsv` has every column,
`accuracy_tests.tsv` and `interpretability_tests.tsv` the paired tests over participants,
Bonferroni-corrected over all pairs.

{table}

HCP: CIA / CAD of the same authors' later figure, read off its bars, on other data. Compare the
order, not the values.

## Accuracy

{accuracy}

## Orderings that the authors claim

{claims}
"""
STAND_IN_TEXT = """
## Are own maps a fair stand-in for the truth?

On real data only the participants' own maps can be compared with; here the truth is known too.

{table}
"""


def write_study(out: Path, results: StudyResults, *, seed: int) -> pd.DataFrame:
    """Write all tables, the figure and the summary; return the table of rows."""
    predictions, scores = results.predictions, results.scores
    table = study_table(predictions, scores, seed=seed)
    between = accuracy_tests(predictions)
    tests = interpretability_tests(scores)
    claims = claims_table(tests)
    decoded = {"decoder": "Decoder.", **predictions_dictionary(tuple(class_names(predictions)))}
    written = {
        "study": (table, STUDY_DICTIONARY),
        "accuracy_tests": (between, ACCURACY_TESTS_DICTIONARY),
        "interpretability_tests": (tests, INTERPRETABILITY_TESTS_DICTIONARY),
        "claims": (claims, CLAIMS_DICTIONARY),
        "predictions": (predictions, decoded),
        "scores": (scores, SCORES_DICTIONARY),
    }
    known = bool((scores["reference"] == KNOWN).any())
    if known:
        written["stand_in"] = (stand_in(table), STAND_IN_DICTIONARY)
    for name, (content, dictionary) in written.items():
        write_table(out / f"{name}.tsv", content, dictionary)
    _write_figure(out, table, known=known)
    write_atomically(out / "study.md", summary(table, between, claims, known=known).encode())
    return table


def summary(
    table: pd.DataFrame, between: pd.DataFrame, claims: pd.DataFrame, *, known: bool
) -> str:
    """Return the summary in Markdown."""
    what = (
        "Simulated maps of participants whose activation is known."
        if known
        else "Real maps, whose true activation is not known."
    )
    n = f" {table['n_participants'].iloc[0]} participants, {table['n_maps'].iloc[0]} maps."
    text = TEXT.format(
        what=what + n,
        table=markdown(shown(table)),
        accuracy=accuracy_words(between),
        claims=markdown(claims),
    )
    return text + (STAND_IN_TEXT.format(table=markdown(stand_in(table))) if known else "")


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table of rows as people read it."""
    columns: dict[str, list[str]] = {"": [TITLES[name] for name in table["row"]]}
    for name in ("accuracy", "task_accuracy"):
        if name in table:
            intervals = zip(table[name], table[f"{name}_low"], table[f"{name}_high"], strict=True)
            columns[name.replace("_", " ")] = [
                f"{value:.3f} [{low:.3f}, {high:.3f}]" for value, low, high in intervals
            ]
    for reference, words in ((OWN, "own maps"), (KNOWN, "known truth")):
        for criterion in CRITERIA:
            name = f"{criterion}_{reference}"
            if name in table:
                means = zip(table[name], table[f"{name}_se"], strict=True)
                columns[f"{criterion}, {words}"] = [f"{mean:.3f} ± {se:.3f}" for mean, se in means]
    published = zip(table["CIA_published"], table["CAD_published"], strict=True)
    columns["HCP"] = [f"{cia:.3f} / {cad:.3f}" for cia, cad in published]
    return pd.DataFrame(columns)


def accuracy_words(between: pd.DataFrame) -> str:
    """Say which decoders differ in accuracy."""
    lines = []
    for measure, tests in between.groupby("measure", sort=False):
        found = [
            f"{a} {'above' if d > 0 else 'below'} {b} by {abs(d):.3f} (p = {p:.2g})"
            for a, b, d, p in zip(
                tests["decoder_a"],
                tests["decoder_b"],
                tests["difference"],
                tests["p_bonferroni"],
                strict=True,
            )
            if p < ALPHA
        ]
        differ = "; ".join(found) or "no difference between decoders is shown"
        lines.append(f"{str(measure).replace('_', ' ').capitalize()}: {differ}.")
    return "\n\n".join(lines)


def markdown(table: pd.DataFrame) -> str:
    """Return a table in Markdown."""
    rows = [[str(name) for name in table.columns], ["---"] * len(table.columns)]
    rows += [
        [f"{cell:.3f}" if isinstance(cell, float) else str(cell) for cell in line]
        for line in table.itertuples(index=False)
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _write_figure(out: Path, table: pd.DataFrame, *, known: bool) -> None:
    def cells(name: str) -> list[tuple[float, float]]:
        if f"{name}_se" not in table:
            return [(value, float("nan")) for value in table[name]]
        return list(zip(table[name], table[f"{name}_se"], strict=True))

    kinds = (OWN, KNOWN) if known else (OWN,)
    rows = [
        StudyRow(
            title=TITLES[name],
            here={c: {kind: cells(f"{c}_{kind}")[i] for kind in kinds} for c in CRITERIA},
            published={c: float(table[f"{c}_published"][i]) for c in CRITERIA},
        )
        for i, name in enumerate(table["row"])
    ]
    figure = study_figure(tuple(rows))
    for kind in ("png", "svg"):
        buffer = io.BytesIO()
        hidden = {"Software": None} if kind == "png" else {"Date": None}
        figure.savefig(buffer, format=kind, dpi=200, metadata=hidden)
        write_atomically(out / f"study.{kind}", buffer.getvalue())
