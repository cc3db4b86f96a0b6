"""The tables of the synthetic experiment."""

from collections.abc import Sequence
from importlib.resources import files

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fmridecode.core.statistics import PairedTest, paired_tests
from fmridecode.experiments.synthetic import METHODS, MethodScores
from fmridecode.experiments.synthetic_settings import PRESETS, SyntheticConfig

CRITERIA = ("CIA", "CAD")
ALPHA = 0.05


def finite_mean(values: NDArray[np.floating]) -> float:
    """Return the mean of the values that are not NaN; NaN when there is none."""
    values = values[np.isfinite(values)]
    return float(values.mean()) if len(values) else float("nan")


def standard_error(values: NDArray[np.floating]) -> float:
    """Return SD / sqrt(n) of the values that are not NaN; NaN for fewer than two."""
    values = values[np.isfinite(values)]
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


def reference() -> pd.DataFrame:
    """Return an independent measurement, and what the authors' notebook printed (authors only).

    Columns ``preset method criterion measured published``: mean of five seeds, and one run on
    100 images.
    """
    path = files("fmridecode.experiments") / "data" / "synthetic_reference.tsv"
    with path.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, sep="\t")


def interpretability(config: SyntheticConfig, scores: Sequence[MethodScores]) -> pd.DataFrame:
    """Return mean and standard error over the test images, per seed, method and criterion."""
    rows = [
        {
            "preset": config.preset,
            "seed": each.seed,
            "method": each.method,
            "criterion": criterion,
            "mean": finite_mean(each.criteria[criterion]),
            "standard_error": standard_error(each.criteria[criterion]),
            "n": len(each.labels),
            "accuracy": each.accuracy,
        }
        for each in _in_order(scores)
        for criterion in CRITERIA
    ]
    return pd.DataFrame(rows)


def _in_order(scores: Sequence[MethodScores]) -> list[MethodScores]:
    return sorted(scores, key=lambda each: (each.seed, METHODS.index(each.method)))


def summary(config: SyntheticConfig, table: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard error over seeds, beside `reference` where the preset is as is."""
    rows = []
    for method in METHODS:
        for criterion in CRITERIA:
            here = table[(table["method"] == method) & (table["criterion"] == criterion)]
            means = here["mean"].to_numpy()
            rows.append(
                {
                    "preset": config.preset,
                    "method": method,
                    "criterion": criterion,
                    "mean": float(means.mean()),
                    "standard_error": standard_error(means),
                    "seeds": len(means),
                    "accuracy": float(here["accuracy"].mean()),
                }
            )
    found = pd.DataFrame(rows)
    known = reference() if config == PRESETS[config.preset] else reference().iloc[:0]
    return found.merge(known, on=["preset", "method", "criterion"], how="left")


def pairwise_tests(config: SyntheticConfig, scores: Sequence[MethodScores]) -> pd.DataFrame:
    """Test every pair of methods, across the images of each seed and across the seeds' means.

    Images of one seed share their decoders, so the test across seeds says more.
    """
    rows: list[dict[str, str | float]] = []
    seeds = sorted({each.seed for each in scores})
    by_key = {(each.seed, each.method): each.criteria for each in scores}
    for criterion in CRITERIA:
        values = {
            seed: {method: by_key[seed, method][criterion] for method in METHODS} for seed in seeds
        }
        units: dict[str, dict[str, NDArray[np.float64]]] = {
            f"images of seed {seed}": values[seed] for seed in seeds
        }
        if len(seeds) > 1:
            units["seeds"] = {
                method: np.array([finite_mean(values[seed][method]) for seed in seeds])
                for method in METHODS
            }
        for unit, per_method in units.items():
            rows.extend(_row(config, criterion, unit, test) for test in paired_tests(per_method))
    return pd.DataFrame(rows)


def _row(
    config: SyntheticConfig, criterion: str, unit: str, test: PairedTest
) -> dict[str, str | float]:
    return {
        "preset": config.preset,
        "criterion": criterion,
        "unit": unit,
        "method_a": test.method_a,
        "method_b": test.method_b,
        "difference": test.difference,
        "t": test.t,
        "df": test.df,
        "p": test.p,
        "p_bonferroni": test.p_bonferroni,
        "verdict": verdict(test),
    }


def verdict(test: PairedTest) -> str:
    """Say which of the two is higher after correction, if either is."""
    if test.p_bonferroni < ALPHA:
        higher = test.method_a if test.difference > 0 else test.method_b
        return f"{higher} higher"
    return "no difference shown"
