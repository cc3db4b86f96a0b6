import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from fmridecode.core.calibration import expected_calibration_error
from fmridecode.pipeline.group.decoding_statistics import calibration_error, class_auc


@pytest.fixture
def drawn() -> np.ndarray:
    return np.array([0, 0, 3, 2, 2, 2, 1, 6, 6])


@pytest.fixture
def table() -> pd.DataFrame:
    """Unequal numbers of maps of participants who are not in order, with ties."""
    rng = np.random.default_rng(0)
    who = rng.permutation(np.repeat([f"sub-{k}" for k in range(7)], [5, 2, 9, 4, 4, 1, 7]))
    scores = rng.integers(0, 6, len(who)) / 6
    return pd.DataFrame({"participant_id": who, "p": scores, "y": rng.random(len(who)) < scores})


def resampled(table: pd.DataFrame, drawn: np.ndarray) -> pd.DataFrame:
    names = sorted(set(table["participant_id"]))
    return pd.concat([table[table["participant_id"] == names[k]] for k in drawn])


def test_the_area_of_a_resample_is_that_of_scikit_learn_on_its_maps(
    table: pd.DataFrame, drawn: np.ndarray
) -> None:
    area = class_auc(table, table["p"].to_numpy(), table["y"].to_numpy())
    assert area is not None
    for chosen in (np.arange(7), drawn):
        rows = resampled(table, chosen)
        assert area(chosen) == pytest.approx(roc_auc_score(rows["y"], rows["p"]))


def test_without_two_kinds_of_maps_there_is_no_area(table: pd.DataFrame) -> None:
    every = np.ones(len(table), dtype=bool)
    assert class_auc(table, table["p"].to_numpy(), every) is None
    assert class_auc(table, table["p"].to_numpy(), ~every) is None


def test_the_calibration_error_of_a_resample_is_that_of_its_maps(
    table: pd.DataFrame, drawn: np.ndarray
) -> None:
    def both(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        p = rows["p"].to_numpy() * 0.9 + 0.03
        return np.stack([1 - p, p], axis=1), rows["y"].to_numpy().astype(np.int64)

    expected = expected_calibration_error(*both(resampled(table, drawn)))
    assert calibration_error(table, *both(table))(drawn) == pytest.approx(expected)
