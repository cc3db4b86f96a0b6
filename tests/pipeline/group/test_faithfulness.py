import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.integrate import trapezoid

from fmridecode.bids.derivatives import read_table
from fmridecode.core.splits import Split
from fmridecode.core.trained import TrainedDecoder
from fmridecode.pipeline.group.faithfulness import (
    CURVES,
    CURVES_SUMMARY_DICTIONARY,
    FAITHFULNESS,
    faithfulness_summary,
)
from fmridecode.pipeline.group.tables import collect
from fmridecode.pipeline.participant.faithfulness import (
    MapCurves,
    curves_of,
    faithfulness_scores,
)
from fmridecode.pipeline.training.fitting import fit_decoder

SERIES_AREAS = {
    "probability": "area",
    "probability_random": "area_random",
    "probability_smooth": "area_smooth",
}


def test_every_map_is_tested_and_its_gains_are_differences_of_areas(whole: Path) -> None:
    table = collect(whole, FAITHFULNESS)
    assert len(table) == 9 * 3 * 2 * 2  # participants with one map each, methods, orders, curves
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


def test_the_areas_under_the_curves_are_those_of_the_scores(whole: Path) -> None:
    scores, curves = collect(whole, FAITHFULNESS), collect(whole, CURVES)
    assert len(curves) == 9 * 3 * 2 * 2 * 11  # participants, methods, orders, curves, steps
    assert (curves["n_maps"] == 1).all()
    keys = ["participant_id", "method", "order", "replacement", "curve"]
    means = scores.groupby(keys)[["area", "area_random", "area_smooth"]].mean()
    for column, ours in SERIES_AREAS.items():
        areas = curves.groupby(keys)[column].apply(lambda p: trapezoid(p, dx=0.1))
        assert np.allclose(areas, means[ours], atol=1e-4)


def test_the_group_curves_are_the_means_of_the_participants(whole: Path) -> None:
    curves, summary = (
        collect(whole, CURVES),
        read_table(whole / "group_desc-faithfulness_curves.tsv"),
    )
    assert list(summary.columns) == list(CURVES_SUMMARY_DICTIONARY)
    assert len(summary) == 3 * 2 * 2 * 3 * 11  # methods, orders, curves, series, steps
    keys = ["method", "order", "curve", "share"]
    mine = curves.groupby(keys)["probability"].mean()
    theirs = summary[summary["series"] == "map"].set_index(keys)["probability"]
    assert np.allclose(mine, theirs.reindex(mine.index), atol=1e-5)
    assert (summary["ci_low"] <= summary["probability"]).all()
    assert (summary["probability"] <= summary["ci_high"]).all()
    gains = group(whole).set_index(["method", "order", "curve", "reference"])["gain"]
    for (method, order, curve), few in summary.groupby(["method", "order", "curve"]):
        series = few.pivot_table(index="share", columns="series", values="probability")
        area = trapezoid(series["map"] - series["smooth-random"], dx=0.1)
        sign = 1 if curve == "insertion" else -1
        assert gains[method, order, curve, "smooth-random"] == pytest.approx(sign * area, abs=1e-4)


def test_a_random_map_has_no_gain(a_network: TrainedDecoder) -> None:
    """The maps that are tested know nothing of the decoder; their intervals hold 0."""
    rng, tested = np.random.default_rng(0), []
    mask = a_network.model.mask.numpy()
    for who in range(30):
        for label in range(3):
            x = torch.from_numpy(rng.standard_normal(mask.shape).astype(np.float32) * mask)
            found = curves_of(
                a_network, x, rng.standard_normal(mask.shape), label, reach="quick", generator=rng
            )
            tested.append(
                MapCurves(
                    participant=f"{who:02d}", session="", label=str(label), method="noise",
                    curves=tuple(found),
                )
            )  # fmt: skip
    summary = faithfulness_summary(faithfulness_scores(tested), seed=0)
    assert len(summary) == 8
    width = summary["ci_high"] - summary["ci_low"]
    assert (width > 0).all()
    assert (summary["ci_low"] - width / 4 < 0).all()
    assert (summary["ci_high"] + width / 4 > 0).all()


@pytest.fixture
def a_network(small_maps: Callable, quick: Callable) -> TrainedDecoder:
    """Return a small network that was trained a little."""
    maps = small_maps(12)
    everyone = tuple(sorted(set(maps.participants)))
    split = Split(train=everyone[:8], validation=everyone[8:], test=())
    return fit_decoder(quick(), maps, split, fold=1, device=torch.device("cpu")).decoder
