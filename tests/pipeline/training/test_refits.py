import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats

from fmridecode.bids.derivatives import read_table
from fmridecode.core.maps import MapSet
from fmridecode.core.splits import Split
from fmridecode.errors import UsageError
from fmridecode.pipeline.group.refits import refitted_rows
from fmridecode.pipeline.participant.decode import batches_of
from fmridecode.pipeline.training import refits
from fmridecode.pipeline.training.fitting import fit_decoder
from fmridecode.pipeline.training.refits import check_refits, permuted, refit_once

LINEAR = {"model": {"architecture": "linear"}, "training": {"scheme": "standard", "epochs": 2}}
FAST = ("--training", "standard", "--epochs", "2", "--saliency", "gradient", "--nprocs", "1")
TABLE = "models/linear-standard/permutations.tsv"


def in_thirds(maps: MapSet) -> tuple[Split, ...]:
    """Return three folds, each of whose parts is a third of the participants."""
    everyone = sorted(set(maps.participants))
    thirds = [tuple(everyone[k::3]) for k in range(3)]
    return tuple(
        Split(train=thirds[k], validation=thirds[k - 1], test=thirds[k - 2]) for k in range(3)
    )


def test_labels_are_exchanged_within_participants_and_nowhere_else(small_maps: Callable) -> None:
    maps = small_maps(12)
    assert (permuted(maps, 0, seed=0) == maps.labels).all()
    found = permuted(maps, 1, seed=0)
    assert (found != maps.labels).any()
    assert (found != permuted(maps, 2, seed=0)).any()
    for who in set(maps.participants):
        indices = maps.where({who})
        assert sorted(found[indices]) == sorted(maps.labels[indices])
    fewer = replace(maps, values=maps.values[6:], examples=maps.examples[6:])
    assert (permuted(fewer, 1, seed=0) == found[6:]).all()


def test_labels_as_they_are_give_the_accuracy_of_the_decoders(
    small_maps: Callable, quick: Callable
) -> None:
    maps, config = small_maps(12), quick(LINEAR)
    splits, correct = in_thirds(maps), []
    for fold, split in enumerate(splits, start=1):
        decoder = fit_decoder(config, maps, split, fold=fold, device=torch.device("cpu")).decoder
        tested = maps.where(set(split.test))
        x, y = batches_of(maps, tested, torch.device("cpu")).take(slice(None))
        correct += list(decoder.model(x).argmax(dim=1) == y)
    row = refit_once(config, refits._voxels_only(maps), splits, 0)
    assert row["accuracy"] == pytest.approx(np.mean(correct))
    assert row["n_maps"] == 36


def test_the_test_is_uniform_where_there_is_nothing_to_find(
    small_maps: Callable, quick: Callable
) -> None:
    n, p = 9, []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        maps = small_maps(6)
        maps = replace(maps, values=rng.standard_normal(maps.values.shape, dtype=np.float32))
        config = quick(LINEAR, {"execution": {"random_seed": seed}})
        accuracy = [
            refit_once(config, refits._voxels_only(maps), in_thirds(maps), each)["accuracy"]
            for each in range(n + 1)
        ]
        above = sum(each > accuracy[0] + 1e-9 for each in accuracy)
        tied = sum(abs(each - accuracy[0]) < 1e-9 for each in accuracy)
        p.append((above + rng.random() * tied) / (n + 1))  # ties broken at random: exactly uniform
    assert stats.kstest(p, "uniform").pvalue > 0.05


@pytest.fixture(scope="module")
def tested(study: Path, job: Callable[..., int], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run of a linear decoder with refits; not to be changed."""
    out = tmp_path_factory.mktemp("refits") / "out"
    options = [*FAST, "--epochs", "8", "--permutation-refits", "9"]
    assert job(study, out, "participant", *options) == 0
    assert job(study, out, "group", *options) == 0
    return out


def test_what_can_be_told_apart_has_the_least_p_that_there_is(tested: Path) -> None:
    table = read_table(tested / TABLE)
    assert list(table["permutation"]) == list(range(10))
    tests = read_table(tested / "group_desc-decoding_permutation.tsv")
    assert list(tests["refitted"]) == [False, False, True, True]
    row = tests[tests["refitted"] & (tests["metric"] == "accuracy")].iloc[0]
    assert row["p"] == pytest.approx(1 / 10)
    assert row["n_permutations"] == 9
    assert row["null_mean"] == pytest.approx(table["accuracy"][1:].mean(), abs=1e-5)
    metrics = read_table(tested / "group_desc-decoding_metrics.tsv").set_index("metric")
    assert row["observed"] == metrics.loc["accuracy", "estimate"]


def test_permutations_that_are_there_are_not_computed_again(
    tested: Path, study: Path, job: Callable[..., int], tmp_path: Path, monkeypatch
) -> None:
    out = Path(shutil.copytree(tested, tmp_path / "out"))
    lines = (out / TABLE).read_text().splitlines(keepends=True)
    (out / TABLE).write_text("".join(lines[:5] + lines[6:9]))
    computed = []
    real = refits.refit_once

    def spy(config, maps, splits, permutation):
        computed.append(permutation)
        return real(config, maps, splits, permutation)

    monkeypatch.setattr(refits, "refit_once", spy)
    options = [*FAST, "--epochs", "8", "--permutation-refits", "9"]
    assert job(study, out, "participant", *options, "--participant-label", "001") == 0
    assert sorted(computed) == [4, 8, 9]
    assert (out / TABLE).read_bytes() == (tested / TABLE).read_bytes()


def test_processes_do_not_change_the_permutations(
    tested: Path, study: Path, job: Callable[..., int], tmp_path: Path
) -> None:
    options = [*FAST, "--epochs", "8", "--permutation-refits", "3", "--nprocs", "2"]
    assert job(study, tmp_path, "train", *options) == 0
    ours, theirs = (read_table(out / TABLE) for out in (tmp_path, tested))
    assert ours.equals(theirs.iloc[:4])


def test_with_a_network_the_baseline_is_refitted(
    study: Path, job: Callable[..., int], tmp_path: Path
) -> None:
    options = [*FAST, "--architecture", "cnn", "--filters", "2", "--permutation-refits", "1"]
    assert job(study, tmp_path, "train", *options) == 0
    rows = refitted_rows(tmp_path)
    assert list(rows["decoder"]) == ["baseline", "baseline"]
    assert (tmp_path / "models" / "cnn-standard" / "baseline" / "permutations.tsv").exists()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"evaluation": {"baseline": "off"}}, "use --architecture linear, or --baseline linear"),
        (
            {"model": {"architecture": "linear"}, "training": {"epsilon": "auto"}},
            "give --epsilon a number",
        ),
    ],
)
def test_refits_that_cannot_be_made_are_refused(values: dict, words: str, quick: Callable) -> None:
    check_refits(quick(values))
    asked = {"evaluation": {"permutation_refits": 5, **values.get("evaluation", {})}}
    with pytest.raises(UsageError, match=words):
        check_refits(quick(values, asked))
