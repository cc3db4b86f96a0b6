"""Group tables from the participants' predictions and scores; no decoder is needed."""

import logging
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fmridecode.bids.derivatives import read_table, write_table
from fmridecode.core.statistics import bootstrap, paired_tests
from fmridecode.errors import BadDataError, NothingMatchedError
from fmridecode.pipeline.group.comparison import (
    BASELINE,
    COMPARISON_DICTIONARY,
    comparison_table,
)
from fmridecode.pipeline.group.decoding import Tables, decoding_tables
from fmridecode.pipeline.group.endings import PREDICTIONS, SCORES
from fmridecode.pipeline.group.measures import GROUP_TABLES
from fmridecode.pipeline.group.refits import refitted_rows

log = logging.getLogger(__name__)


SUMMARY_DICTIONARY = {
    "method": "Saliency method.",
    "criterion": "CIA or CAD.",
    "mean": "Mean over participants of the participant's mean correlation.",
    "standard_error": "Standard error over participants.",
    "ci_low": "Lower end of the 95 % percentile bootstrap interval, participants resampled.",
    "ci_high": "Upper end of that interval.",
    "n_maps": "Maps scored.",
    "n_participants": "Participants scored.",
}
TESTS_DICTIONARY = {
    "criterion": "CIA or CAD.",
    "unit": "What the test is over: participant (each one's mean; the headline) or example.",
    "method_a": "First method.",
    "method_b": "Second method.",
    "difference": "Mean of a minus b.",
    "t": "Two-sided paired t statistic.",
    "df": "Degrees of freedom.",
    "p": "Uncorrected p value.",
    "p_bonferroni": "p times the number of pairs, at most 1.",
}
PARTICIPANTS_DICTIONARY = {
    "participant_id": "Participant.",
    "n_maps": "Maps decoded.",
    "accuracy": "Share of the participant's maps that were decoded correctly.",
}


def collect(output_dir: Path, ending: str) -> pd.DataFrame:
    """Return the participants' tables of one kind, put together.

    Raises
    ------
    NothingMatchedError
        When no participant has one.
    """
    paths = sorted(output_dir.glob(f"sub-*/**/*_{ending}"))
    if not paths:
        raise NothingMatchedError(
            f"{output_dir} has no sub-*/**/*_{ending}: run the participant level first."
        )
    tables = [read_table(path) for path in paths]
    for path, table in zip(paths, tables, strict=True):
        if list(table.columns) != list(tables[0].columns):
            raise BadDataError(
                f"{path} has other columns than {paths[0]}: they were made of other classes. Run "
                "the participant level again for everyone, or use one OUTPUT_DIR for each."
            )
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


def scorable(predictions: pd.DataFrame, scores: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Leave out what a decoder made of maps it was trained on, or whose class it does not know.

    What is left may be nothing; what is left out is said.
    """
    seen = predictions["seen_in_training"].astype(bool)
    known = predictions["true_label"].notna()
    if seen.any():
        log.warning(
            "%d of %d maps were decoded by a decoder that was trained on them, or on the same "
            "participant; they are left out of all scores.",
            seen.sum(),
            len(seen),
        )
    if not known.all():
        log.warning(
            "%d of %d maps are of classes that the decoder does not know; they are decoded but "
            "not scored. --model-labels says what the decoder calls a class.",
            (~known).sum(),
            len(known),
        )
    strangers = set(predictions.loc[~seen, "participant_id"])
    kept = predictions[~seen & known].astype({"correct": bool})
    return kept, scores[scores["participant_id"].isin(strangers)]


def per_example(scores: pd.DataFrame) -> pd.DataFrame:
    """Average the CAD of an example over its targets: one row per example and method."""
    keys = ["participant_id", "session_id", "label", "method", "criterion"]
    scores = scores.fillna({"session_id": ""})
    return scores.groupby(keys, dropna=False, sort=False)["pearson_r"].mean().reset_index()


def interpretability_summary(scores: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Return mean, standard error and interval of each criterion for each method."""
    examples = per_example(scores)
    rows = []
    for (method, criterion), group in examples.groupby(["method", "criterion"], sort=False):
        means = group.groupby("participant_id")["pearson_r"].mean().dropna().to_numpy()
        estimate = bootstrap(len(means), _mean_of(means), generator=np.random.default_rng(seed))
        spread = means.std(ddof=1) / np.sqrt(len(means)) if len(means) > 1 else np.nan
        rows.append(
            {
                "method": method,
                "criterion": criterion,
                "mean": estimate.value,
                "standard_error": spread,
                "ci_low": estimate.low,
                "ci_high": estimate.high,
                "n_maps": int(group["pearson_r"].notna().sum()),
                "n_participants": len(means),
            }
        )
    return pd.DataFrame(rows)


def _mean_of(values: NDArray[np.float64]) -> Callable[[NDArray[np.int64]], float]:
    return lambda drawn: float(values[drawn].mean())


def interpretability_tests(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the paired tests between methods, over participants and over examples."""
    examples = per_example(scores)
    units = {
        "participant": ["participant_id"],
        "example": ["participant_id", "session_id", "label"],
    }
    rows = []
    for criterion, group in examples.groupby("criterion", sort=False):
        for unit, keys in units.items():
            wide = group.pivot_table("pearson_r", keys, "method", dropna=False, sort=False)
            found = paired_tests({str(m): wide[m].to_numpy() for m in wide})
            rows += [{"criterion": criterion, "unit": unit, **asdict(test)} for test in found]
    return pd.DataFrame(rows, columns=list(TESTS_DICTIONARY))


def participants_summary(predictions: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return one row per participant: maps, accuracy, and mean CIA and CAD of every method."""
    groups = predictions.groupby("participant_id")
    table = pd.DataFrame({"n_maps": groups.size(), "accuracy": groups["correct"].mean()})
    for (criterion, method), group in per_example(scores).groupby(
        ["criterion", "method"], sort=False
    ):
        table[f"{criterion}_{method}"] = group.groupby("participant_id")["pearson_r"].mean()
    return table.reset_index()


def _comparison(output_dir: Path, predictions: pd.DataFrame, *, seed: int) -> Tables:
    """Compare with the baseline; an empty table where there is none."""
    table = pd.DataFrame()
    if any(output_dir.glob(f"sub-*/**/*_{BASELINE}")):
        baseline = collect(output_dir, BASELINE)
        baseline = baseline[~baseline["seen_in_training"].astype(bool)]
        table = comparison_table(predictions, baseline, seed=seed)
    return {"decoding_comparison": (table, COMPARISON_DICTIONARY)}


def _measures(output_dir: Path, participants: set[str], *, seed: int) -> Tables:
    """Summarise what was measured of the maps; empty tables where nothing was."""
    tables: Tables = {}
    for each in GROUP_TABLES:
        table = pd.DataFrame()
        if any(output_dir.glob(f"sub-*/**/*_{each.ending}")):
            rows = collect(output_dir, each.ending)
            rows = rows[rows["participant_id"].isin(participants)]
            table = each.summarise(rows, seed=seed) if len(rows) else table
        tables[each.name] = (table, each.dictionary)
    return tables


def write_group_tables(output_dir: Path, *, seed: int) -> None:
    """Evaluate all participants of OUTPUT_DIR and write the tables.

    Where there is nothing to score, that is said, and earlier tables are removed.
    """
    predictions, scores = scorable(collect(output_dir, PREDICTIONS), collect(output_dir, SCORES))
    if predictions.empty:
        log.warning("No map can be scored: there are predictions and maps, but no group tables.")
        for path in (*output_dir.glob("group_desc-*.tsv"), *output_dir.glob("group_desc-*.json")):
            path.unlink()
        return
    decoding = decoding_tables(predictions, seed=seed)
    summary = participants_summary(predictions, scores)
    per_method = {
        column: f"Mean {column.partition('_')[0]} of the participant's maps by this method."
        for column in summary.columns
        if column.startswith(("CIA_", "CAD_"))
    }
    tables = {
        **decoding,
        "interpretability_summary": (
            interpretability_summary(scores, seed=seed),
            SUMMARY_DICTIONARY,
        ),
        "interpretability_tests": (interpretability_tests(scores), TESTS_DICTIONARY),
        "participants_summary": (summary, {**PARTICIPANTS_DICTIONARY, **per_method}),
    }
    tables |= _comparison(output_dir, predictions, seed=seed)
    scored, dictionary = tables["decoding_permutation"]
    tables["decoding_permutation"] = (
        pd.concat([scored, refitted_rows(output_dir)], ignore_index=True),
        dictionary,
    )
    tables |= _measures(output_dir, set(predictions["participant_id"]), seed=seed)
    for name, (table, dictionary) in tables.items():
        path = output_dir / f"group_desc-{name}.tsv"
        if len(table):
            write_table(path, table, dictionary)
            continue
        for stale in (path, path.with_suffix(".json")):
            stale.unlink(missing_ok=True)
