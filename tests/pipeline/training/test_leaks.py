"""People that a decoder saw are recognised, under whatever name they come."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from fmridecode.bids.derivatives import read_table
from fmridecode.config import RunConfig
from fmridecode.core.maps import MapSet
from fmridecode.core.splits import make_splits
from fmridecode.pipeline.training.fitting import fit_decoder
from fmridecode.pipeline.training.leaks import kept_together, recognised

MEASURES = ("faithfulness", "sanity", "reliability", "robustness")
OFF = [each for name in MEASURES for each in (f"--{name}", "off")]
QUICK = ("--saliency", "gradient", *OFF, "--nprocs", "1")
Job = Callable[..., int]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def renamed(study: Path, whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return two of the first fold's training participants, renamed, rescaled, stored again.

    The third, x3, is one that the fold has not seen.
    """
    folds = read_table(next((whole / "models").glob("*/folds.tsv")))
    first = folds[folds["fold"] == 1]
    trained = list(first.loc[first["role"] == "train", "participant_id"])[:2]
    tested = first.loc[first["role"] == "test", "participant_id"].iloc[0]
    root = tmp_path_factory.mktemp("renamed") / "bids"
    root.mkdir()
    (root / "dataset_description.json").write_text(
        '{"Name": "Another study", "BIDSVersion": "1.9.0", "DatasetType": "derivative"}'
    )
    for old, new in zip((*trained, tested), ("x1", "x2", "x3"), strict=True):
        for path in (study / f"sub-{old}" / "func").glob("*_statmap.nii.gz"):
            image = nib.load(path)
            values = image.get_fdata()
            target = root / f"sub-{new}" / "func" / path.name.replace(f"sub-{old}", f"sub-{new}")
            target.parent.mkdir(parents=True, exist_ok=True)
            scaled = np.where(values == 0, 0, values * 12.5).astype(np.float32)
            nib.save(nib.Nifti1Image(scaled, image.affine), target)
    return root


def seen(out: Path) -> dict[str, bool]:
    paths = sorted(out.glob("sub-*/func/*_desc-decoding_predictions.tsv"))
    return {
        path.name.split("_")[0]: bool(read_table(path)["seen_in_training"].all()) for path in paths
    }


def test_maps_that_trained_a_decoder_are_recognised_under_another_name_and_left_out_of_scores(
    renamed: Path, whole: Path, job: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fold, out = next((whole / "models").glob("*/fold-1")), tmp_path / "out"
    assert job.plain(renamed, out, "participant", "--model", str(fold), *QUICK) == 0
    assert seen(out) == {"sub-x1": True, "sub-x2": True, "sub-x3": False}
    said = capsys.readouterr().err
    assert "LEAK: 2 participants trained" in said
    assert "recognised by their maps: sub-x1, sub-x2." in said
    assert job.plain(renamed, out, "group") == 0
    metrics = read_table(out / "group_desc-decoding_metrics.tsv").set_index("metric")
    assert metrics.loc["accuracy", "n_participants"] == 1
    assert "left out of all scores" in capsys.readouterr().err


def test_of_another_run_those_folds_decode_that_do_not_recognise_the_maps(
    renamed: Path, whole: Path, job: Job, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert job.plain(renamed, out, "participant", "--model", str(whole), *QUICK) == 0
    assert seen(out) == {"sub-x1": False, "sub-x2": False, "sub-x3": False}
    table = read_table(out / "sub-x3/func/sub-x3_desc-decoding_predictions.tsv")
    assert set(table["fold"]) == {1}


def test_the_same_label_in_a_data_set_of_the_same_name_is_recognised_without_its_maps(
    small_maps: Callable[..., MapSet], quick: Callable[..., RunConfig]
) -> None:
    maps = small_maps()
    maps = replace(maps, origin=replace(maps.origin, dataset="A study"))
    config = quick({"model": {"architecture": "linear"}, "training": {"scheme": "standard"}})
    split, *_ = make_splits(
        maps.participants, config.split, families={}, generator=np.random.default_rng(0)
    )
    decoder = fit_decoder(config, maps, split, fold=1, device=CPU).decoder
    others = replace(small_maps(seed=9), origin=maps.origin)
    found = recognised(decoder, others, sorted(set(others.participants)))
    assert set(found) == {*split.train, *split.validation}
    assert set(found.values()) == {"their labels and the name of the data set"}
    elsewhere = replace(others, origin=replace(maps.origin, dataset="Another study"))
    assert not recognised(decoder, elsewhere, sorted(set(others.participants)))
    own = recognised(decoder, maps, sorted(set(maps.participants)))
    assert set(own) == {*split.train, *split.validation}


def copied(maps: MapSet, one: str, other: str) -> MapSet:
    values = maps.values.copy()
    values[maps.where({other})] = values[maps.where({one})]
    return replace(maps, values=values)


def test_two_labels_with_one_map_are_kept_together_and_named(
    small_maps: Callable[..., MapSet], caplog: pytest.LogCaptureFixture
) -> None:
    maps = copied(small_maps(), "03", "07")
    families = {"07": "smith", "01": "smith", "05": "jones"}
    joined = kept_together(maps, families, seed=0)
    assert joined["03"] == joined["07"] == joined["01"]
    assert joined["05"] == "jones"
    assert "sub-03 (bids::3-0) and sub-07 (bids::7-0)" in caplog.text
    assert kept_together(small_maps(), families, seed=0) == families


def test_no_fold_trains_on_a_copy_of_whom_it_tests(
    study: Path, job: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "bids", tmp_path / "out"
    shutil.copytree(study, data)
    shutil.rmtree(data / "sub-009")
    shutil.copytree(data / "sub-001", data / "sub-009")
    for path in (data / "sub-009").rglob("sub-001*"):
        path.rename(path.with_name(path.name.replace("sub-001", "sub-009")))
    assert job(data, out, "train") == 0
    folds = read_table(next(out.glob("models/*/folds.tsv")))
    for _, fold in folds.groupby("fold"):
        roles = fold.set_index("participant_id")["role"]
        assert roles["001"] == roles["009"]
    assert "DUPLICATE: sub-001" in capsys.readouterr().err


def test_a_late_copy_of_someone_who_trained_is_marked(
    study: Path, whole: Path, job: Job, tmp_path: Path
) -> None:
    data, out = tmp_path / "bids", tmp_path / "out"
    shutil.copytree(study, data)
    folds = read_table(next((whole / "models").glob("*/folds.tsv")))
    first = folds[(folds["fold"] == 1) & (folds["role"] == "train")]
    trained = first["participant_id"].iloc[0]
    shutil.copytree(data / f"sub-{trained}", data / "sub-late")
    for path in (data / "sub-late").rglob("sub-*"):
        path.rename(path.with_name(path.name.replace(f"sub-{trained}", "sub-late")))
    shutil.copytree(whole / "models", out / "models")
    asked = ("--group-column", "family", "--participant-label", "late", *QUICK)
    assert job(data, out, "participant", *asked) == 0
    assert seen(out) == {"sub-late": True}
