from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fmridecode.bids.derivatives import read_table
from fmridecode.bids.parcels import write_matrix
from fmridecode.config import RunConfig, compose
from fmridecode.errors import BadDataError
from fmridecode.pipeline.group.interactions import write_group_interactions

NAMES = ("front <b>", "back", "side")
N = 10


def config(**evaluation: object) -> RunConfig:
    return compose({"evaluation": {"permutations": 200, **evaluation}})


@pytest.fixture
def store(tmp_path: Path) -> Callable[..., Path]:
    """Write matrices of participants, of one class."""

    def write(
        values: dict[str, np.ndarray],
        *,
        label: str = "heat",
        target: str = "heat",
        names: tuple[str, ...] = NAMES,
        **about: object,
    ) -> Path:
        for number, (who, matrix) in enumerate(values.items()):
            parts = who.split("_")
            name = f"{who}_seg-A_contrast-{label}_desc-hessianTo{target.title()}_interactions.tsv"
            said = {
                "Units": "log-odds",
                "TrueClass": label,
                "TargetClass": target,
                "Atlas": "a.nii.gz",
                "DecoderHash": f"fold {number % 2}",
                "SoftplusBeta": 32.0,
                "TrainedOnParticipant": False,
                **about,
            }
            write_matrix(tmp_path.joinpath(*parts, "func", name), names, matrix, said)
        return tmp_path

    return write


def drawn(seed: int = 0, n: int = N) -> dict[str, np.ndarray]:
    """Return symmetric matrices: front and back interact in all, the rest is noise."""
    generator = np.random.default_rng(seed)
    values = {}
    for k in range(n):
        root = generator.standard_normal((3, 3))
        matrix = root + root.T
        matrix[0, 1] = matrix[1, 0] = 5 + 0.5 * generator.standard_normal()
        values[f"sub-{k:02d}"] = matrix
    return values


def pairs_of(out: Path) -> pd.DataFrame:
    return read_table(out / "group_desc-interactions_pairs.tsv")


def test_every_pair_is_tested_over_participants(store: Callable[..., Path]) -> None:
    values = drawn()
    out = store(values)
    write_group_interactions(out, config())
    pairs = pairs_of(out)
    assert list(zip(pairs["parcel_a"], pairs["parcel_b"], strict=True)) == [
        (NAMES[a], NAMES[b]) for a in range(3) for b in range(a, 3)
    ]
    by_hand = np.stack([m[np.triu_indices(3)] for m in values.values()])
    test = stats.ttest_1samp(by_hand, 0.0)
    np.testing.assert_allclose(pairs["mean"], by_hand.mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(pairs["t"], test.statistic, rtol=1e-3)
    np.testing.assert_allclose(pairs["p"], test.pvalue, rtol=1e-2)
    np.testing.assert_allclose(pairs["q"], stats.false_discovery_control(test.pvalue), rtol=1e-2)
    assert pairs["p_fwe"].between(0.9999 / 201, 1).all()
    assert (pairs["p_fwe"] >= pairs["p"] - 0.05).all()
    (row,) = read_table(out / "group_desc-interactions_tests.tsv").to_dict("records")
    assert (row["pairs_positive"], row["pairs_negative"], row["n_pairs"]) == (1, 0, 3)
    assert (row["n_decoders"], row["n_participants"], row["n_parcels"]) == (2, N, 3)
    assert row["softplus_beta"] == 32
    assert row["n_permutations"] == 200


def test_the_same_seed_gives_the_same_bits(store: Callable[..., Path]) -> None:
    out = store(drawn())
    write_group_interactions(out, config())
    first = (out / "group_desc-interactions_pairs.tsv").read_bytes()
    write_group_interactions(out, config())
    assert (out / "group_desc-interactions_pairs.tsv").read_bytes() == first


def test_noise_alone_rarely_survives(store: Callable[..., Path]) -> None:
    generator = np.random.default_rng(5)
    survived = 0
    for _ in range(20):
        noise = {f"sub-{k}": (m := generator.standard_normal((3, 3))) + m.T for k in range(8)}
        out = store(noise)
        write_group_interactions(out, config(permutations=100))
        survived += int((pairs_of(out)["p_fwe"] < 0.05).any())
    assert survived <= 4


def test_participants_who_share_a_decoder_and_its_matrix_are_told(
    store: Callable[..., Path],
) -> None:
    shared = [drawn(seed)["sub-00"] for seed in (1, 2)]
    out = store({f"sub-{k:02d}": shared[k % 2] * (1 + 0.01 * k) for k in range(N)})
    write_group_interactions(out, config())
    (row,) = read_table(out / "group_desc-interactions_tests.tsv").to_dict("records")
    assert row["r_same_decoder"] == pytest.approx(1, abs=1e-4)
    assert row["r_other_decoders"] < 0.99


def test_sessions_are_averaged_and_who_trained_the_decoder_is_left_out(
    store: Callable[..., Path],
) -> None:
    one = np.ones((3, 3))
    store({"sub-01_ses-1": one, "sub-01_ses-2": 3 * one, "sub-02": 4 * one})
    out = store({"sub-03": 100 * one}, TrainedOnParticipant=True)
    write_group_interactions(out, config())
    pairs = pairs_of(out)
    assert np.allclose(pairs["mean"], 3)
    assert (pairs["n_participants"] == 2).all()
    assert pairs["t"].isna().all()


def test_without_statistics_there_are_means_alone(store: Callable[..., Path]) -> None:
    out = store(drawn())
    write_group_interactions(out, config(group_statistics="off"))
    assert pairs_of(out)["p_fwe"].isna().all()
    (row,) = read_table(out / "group_desc-interactions_tests.tsv").to_dict("records")
    assert row["n_permutations"] == 0
    assert pd.isna(row["pairs_positive"])


def test_pairs_without_spread_have_no_test(store: Callable[..., Path]) -> None:
    out = store({f"sub-{k}": np.zeros((3, 3)) for k in range(N)}, SoftplusBeta=None)
    write_group_interactions(out, config())
    assert pairs_of(out)[["t", "p", "q", "p_fwe"]].isna().all(axis=None)


def test_other_classes_than_the_true_one_are_not_averaged(store: Callable[..., Path]) -> None:
    store(drawn(), label="heat", target="warmth")
    out = store(drawn(1), label="warmth", target="heat>warmth")
    write_group_interactions(out, config())
    assert set(pairs_of(out)["target"]) == {"heat>warmth"}


def test_matrices_of_other_parcels_are_one_line(store: Callable[..., Path]) -> None:
    store({"sub-01": np.ones((3, 3))})
    out = store({"sub-02": np.ones((2, 2))}, names=NAMES[:2])
    with pytest.raises(BadDataError, match="of other parcels than"):
        write_group_interactions(out, config())


def test_tables_of_an_earlier_run_are_removed(store: Callable[..., Path]) -> None:
    out = store(drawn())
    write_group_interactions(out, config())
    for path in out.glob("sub-*/func/*"):
        path.unlink()
    write_group_interactions(out, config())
    assert not list(out.glob("group_*"))
