import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fmridecode.bids.derivatives import read_table
from fmridecode.core.randomisation import SURVIVES
from fmridecode.pipeline.group.sanity import (
    SANITY,
    SANITY_SUMMARY_DICTIONARY,
    SIMILARITIES,
    sanity_summary,
)
from fmridecode.pipeline.group.tables import collect


def test_every_method_is_compared_at_every_depth(whole: Path) -> None:
    table = collect(whole, SANITY)
    assert len(table) == 9 * 3  # participants with one map each, methods; one layer
    assert set(table["layer"]) == {"logits"}
    assert (table["depth"] == table["n_layers"]).all()
    assert table[list(SIMILARITIES)].abs().to_numpy().max() <= 1
    keys = ["participant_id", "label", "method"]
    assert not table.duplicated(keys).any()


def test_gradients_of_a_linear_decoder_do_not_survive_and_are_not_marked(whole: Path) -> None:
    table = read_table(whole / "group_desc-sanity_summary.tsv").set_index(["method", "similarity"])
    assert list(table.reset_index().columns)[:1] == ["method"]
    for method in ("gradient", "smoothgrad"):
        for similarity in ("rank_correlation", "rank_correlation_absolute"):
            assert abs(table.loc[(method, similarity), "value"]) < 0.1
            assert not table.loc[(method, similarity), "survives"]
    assert not table.loc[("gradient-x-input", "rank_correlation"), "survives"]
    # the magnitude of the product is half the input's
    of_input = table.loc[("gradient-x-input", "rank_correlation_absolute"), "value"]
    assert of_input > 0.3
    dictionary = json.loads((whole / "group_desc-sanity_summary.json").read_text())
    assert list(dictionary) == list(SANITY_SUMMARY_DICTIONARY)


def made_up(value: float, *, sign: int = 1) -> pd.DataFrame:
    """Return rows of a method whose maps keep a rank correlation, of a sign that may alternate."""
    rows = [
        {
            "participant_id": f"sub-{who}",
            "session_id": None,
            "label": label,
            "method": "input",
            "randomised": "weights",
            "depth": depth,
            "n_layers": 2,
            "layer": f"layer {depth}",
            "draw": 1,
            "rank_correlation": value * sign**k,
            "rank_correlation_absolute": value,
            "ssim": value,
        }
        for who in ("1", "2", "3")
        for k, label in enumerate("ab")
        for depth in (1, 2)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_method_whose_maps_stay_is_marked_at_full_randomisation_alone(sign: int) -> None:
    table = sanity_summary(made_up(0.9, sign=sign), seed=0).set_index(["depth", "similarity"])
    assert bool(table.loc[(2, "rank_correlation"), "survives"])
    assert pd.isna(table.loc[(1, "rank_correlation"), "survives"])
    assert pd.isna(table.loc[(2, "ssim"), "survives"])
    assert table.loc[(2, "rank_correlation"), "magnitude"] == pytest.approx(0.9)
    expected = 0.9 if sign == 1 else 0
    assert table.loc[(2, "rank_correlation"), "value"] == pytest.approx(expected)
    below = sanity_summary(made_up(SURVIVES - 0.01), seed=0)
    assert not below["survives"].fillna(False).any()


def test_maps_that_are_constant_are_left_out_of_the_means() -> None:
    rows = made_up(0.4)
    rows.loc[rows["participant_id"] == "sub-3", "rank_correlation"] = np.nan
    table = sanity_summary(rows, seed=0).set_index(["depth", "similarity"])
    assert table.loc[(2, "rank_correlation"), "value"] == pytest.approx(0.4)
    assert table.loc[(2, "rank_correlation"), "n_participants"] == 2
    assert table.loc[(2, "ssim"), "n_participants"] == 3
