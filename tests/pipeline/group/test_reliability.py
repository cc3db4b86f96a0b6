from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fmridecode.bids.derivatives import read_table
from fmridecode.pipeline.group.reliability import (
    RELIABILITY,
    RELIABILITY_MAPS_DICTIONARY,
    between_participants,
    reliability_summary,
)
from fmridecode.pipeline.group.tables import collect


def test_folds_have_seen_the_participant_and_the_tables_say_so(whole: Path) -> None:
    table = collect(whole, RELIABILITY)
    assert set(table["measure"]) == {"folds", "sensitivity"}  # one member, one session
    folds = table[table["measure"] == "folds"]
    assert len(folds) == 9 * 3  # one map each
    assert folds["seen_in_training"].all()
    assert (folds["n"] == 2).all()
    assert folds["value"].between(-1, 1).all()
    noise = table[table["measure"] == "sensitivity"]
    assert not noise["seen_in_training"].any()
    assert (noise["value"] > 0).all()
    summary = read_table(whole / "group_desc-reliability_summary.tsv").set_index(
        ["method", "measure"]
    )
    assert summary.loc[("gradient", "folds"), "seen_in_training"]
    mean = folds[folds["method"] == "gradient"]["value"].mean()
    assert summary.loc[("gradient", "folds"), "value"] == pytest.approx(mean, abs=1e-5)


def test_the_group_maps_of_every_class_and_method_are_split_in_halves(whole: Path) -> None:
    table = read_table(whole / "group_desc-reliability_maps.tsv")
    assert list(table.columns) == list(RELIABILITY_MAPS_DICTIONARY)
    assert len(table) == 3 * 3 * 4  # classes, methods, measures
    assert (table["n_decoders"] == 3).all()
    wide = table.pivot_table(index="map", columns="measure", values="value")
    # participants of one decoder share its maps
    assert (wide["participants"] > wide["other-decoders"]).all()


def test_maps_of_one_signal_and_noise_have_the_correlations_that_are_known(
    stack_of: Callable,
) -> None:
    """With signal of variance 1 and noise of variance v: r(one, mean of k) is known."""
    rng, n, v = np.random.default_rng(0), 10, 3.0
    shape = (20, 20, 20)
    signal = rng.standard_normal(shape)
    stack = stack_of(signal + np.sqrt(v) * rng.standard_normal((n, *shape)))
    rows = {str(row["measure"]): row for row in between_participants(stack, splits=50, seed=0)}
    expected = 1 / np.sqrt((1 + v) * (1 + v / (n - 1)))
    assert rows["participants"]["value"] == pytest.approx(expected, abs=0.02)
    assert rows["split-half"]["value"] == pytest.approx(1 / (1 + v / 5), abs=0.02)
    assert rows["spearman-brown"]["value"] == pytest.approx(1 / (1 + v / 10), abs=0.02)


def test_participants_weigh_the_same() -> None:
    rows = pd.DataFrame(
        {
            "participant_id": ["sub-1", "sub-1", "sub-1", "sub-2"],
            "method": "gradient",
            "measure": "members",
            "value": [1.0, 1.0, 1.0, 0.0],
            "seen_in_training": False,
        }
    )
    (row,) = reliability_summary(rows, seed=0).to_dict("records")
    assert row["value"] == pytest.approx(0.5)
    assert row["n_maps"] == 4
