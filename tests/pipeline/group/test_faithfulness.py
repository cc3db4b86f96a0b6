import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fmridecode.bids.derivatives import read_table
from fmridecode.pipeline.group.faithfulness import FAITHFULNESS, faithfulness_summary
from fmridecode.pipeline.group.tables import collect


def test_every_map_is_tested_and_its_gains_are_differences_of_areas(whole: Path) -> None:
    table = collect(whole, FAITHFULNESS)
    assert len(table) == 27 * 3 * 2 * 2  # maps, methods, orders, curves
    assert set(table["replacement"]) == {"zero"}
    assert table["area"].between(0, 1).all()
    sign = table["curve"].map({"deletion": -1, "insertion": 1})
    for gain, reference in (("gain_random", "area_random"), ("gain_smooth", "area_smooth")):
        expected = sign * (table["area"] - table[reference])
        assert np.allclose(table[gain], expected, atol=1e-5)
    keys = ["participant_id", "label", "curve"]
    assert (table.groupby(keys)["area_random"].nunique() == 1).all()  # one order for all methods


def test_the_summary_is_the_mean_of_the_participants(whole: Path) -> None:
    table, summary = collect(whole, FAITHFULNESS), group(whole)
    assert len(summary) == 3 * 2 * 2 * 2  # methods, orders, curves, references
    row = summary.iloc[0]
    mine = table[
        (table[["method", "order", "curve"]] == row[["method", "order", "curve"]]).all(axis=1)
    ]
    assert row["gain"] == pytest.approx(mine["gain_random"].mean(), abs=1e-5)
    assert row["ci_low"] <= row["gain"] <= row["ci_high"]
    assert (summary["n_participants"] == 9).all()
    dictionary = json.loads((whole / "group_desc-faithfulness_summary.json").read_text())
    assert list(dictionary) == list(summary.columns)


def group(out: Path) -> pd.DataFrame:
    return read_table(out / "group_desc-faithfulness_summary.tsv")


def test_gradient_times_input_is_faithful_to_a_linear_decoder(whole: Path) -> None:
    table = group(whole).set_index(["method", "order", "curve", "reference"])
    for curve in ("deletion", "insertion"):
        assert table.loc[("gradient-x-input", "signed", curve, "random"), "ci_low"] > 0


def test_participants_weigh_the_same() -> None:
    rows = [("sub-1", 1.0)] * 3 + [("sub-2", 0.0)]
    table = pd.DataFrame(rows, columns=["participant_id", "gain_random"])
    table["gain_smooth"] = table["gain_random"]
    table[["method", "order", "replacement", "curve"]] = ["m", "signed", "zero", "deletion"]
    assert list(faithfulness_summary(table, seed=0)["gain"]) == [0.5, 0.5]
