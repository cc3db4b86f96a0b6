"""A decoder that was given: a bundle, a zip, or another run's folds."""

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from fmridecode.bids.derivatives import read_table
from fmridecode.bids.templates import Template
from fmridecode.bundles.files import CARD, CONFIG, WEIGHTS
from fmridecode.bundles.zips import write_zip
from fmridecode.pipeline import given as given_module

MEASURES = ("faithfulness", "sanity", "reliability", "robustness")
OFF = [each for name in MEASURES for each in (f"--{name}", "off")]
QUICK = ("--saliency", "gradient", *OFF, "--nprocs", "1")
PREDICTIONS = "sub-{0}/func/sub-{0}_desc-decoding_predictions.tsv"
Job = Callable[..., int]
Write = Callable[..., Path]


@pytest.fixture(scope="module")
def fold(whole: Path) -> Path:
    """Return the bundle of the first fold of the small study."""
    return next(iter(sorted((whole / "models").glob("*/fold-1"))))


@pytest.fixture(scope="module")
def others(study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the study's maps of two participants under other names, without the descriptions."""
    root = tmp_path_factory.mktemp("others") / "bids"
    root.mkdir()
    shutil.copy(study / "dataset_description.json", root)
    for old, new in (("sub-001", "sub-p1"), ("sub-002", "sub-p2")):
        for path in (study / old / "func").glob("*_statmap.nii.gz"):
            target = root / new / "func" / path.name.replace(old, new)
            target.parent.mkdir(parents=True, exist_ok=True)
            data = nib.load(path)
            noise = np.random.default_rng(0).normal(size=data.shape) * data.get_fdata().std()
            moved = nib.Nifti1Image((data.get_fdata() + noise).astype(np.float32), data.affine)
            nib.save(moved, target)
    return root


def rows(out: Path, who: str) -> list[dict[str, object]]:
    return read_table(out / PREDICTIONS.format(who)).to_dict("records")


def test_a_bundle_decodes_strangers_without_any_training(
    others: Path, fold: Path, job: Job, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert job.plain(others, out, "participant", "--model", str(fold), *QUICK) == 0
    assert not list(out.glob("models/*/folds.tsv"))
    found = rows(out, "p1")
    assert {each["true_label"] for each in found} == {"emotion", "gambling", "language"}
    assert {each["data_label"] for each in found} == {"emotion", "gambling", "language"}
    assert not any(each["seen_in_training"] for each in found)
    sidecar = json.loads(next((out / "sub-p1" / "func").glob("*_saliency.json")).read_text())
    said = json.loads((out / "models" / "given.json").read_text())
    assert [sidecar["DecoderHash"]] == said["hashes"]
    assert "Fold" not in sidecar
    assert job.plain(others, out, "group") == 0
    assert (out / "group_desc-decoding_metrics.tsv").exists()


def test_a_zip_gives_the_same_numbers_as_its_folder(
    others: Path, fold: Path, job: Job, tmp_path: Path
) -> None:
    packed = tmp_path / "decoder.zip"
    files = {f"decoder/{name}": (fold / name).read_bytes() for name in (WEIGHTS, CONFIG, CARD)}
    packed.write_bytes(write_zip(files))
    asked = (*QUICK, "--participant-label", "p1")
    for name, model in (("folder", fold), ("zip", packed)):
        out = tmp_path / name
        assert job.plain(others, out, "participant", "--model", str(model), *asked) == 0
    for path in sorted((tmp_path / "folder" / "sub-p1").rglob("*.*")):
        other = tmp_path / "zip" / path.relative_to(tmp_path / "folder")
        assert other.read_bytes() == path.read_bytes(), path.name


def test_another_run_decodes_its_own_participants_by_the_fold_that_did_not_see_them(
    study: Path, whole: Path, job: Job, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    family = ("--group-column", "family")
    assert job.plain(study, out, "participant", "--model", str(whole), *QUICK, *family) == 0
    for path in sorted(whole.glob(f"sub-*/func/*{PREDICTIONS.rpartition('_')[2]}")):
        before = read_table(path)
        after = read_table(out / path.relative_to(whole))
        assert list(after["fold"]) == list(before["fold"])
        for name in before.columns:
            if name.startswith("prob_"):
                np.testing.assert_allclose(after[name], before[name], rtol=1e-5)


def test_a_stranger_to_another_run_is_decoded_by_the_mean_of_its_folds(
    others: Path, whole: Path, job: Job, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert job.plain(others, out, "participant", "--model", str(whole), *QUICK) == 0
    assert all(np.isnan(each["fold"]) for each in rows(out, "p1"))
    record = json.loads((out / "models" / "given.json").read_text())
    assert len(record["hashes"]) == 3


def test_classes_are_matched_by_name_by_pairs_and_otherwise_left_unscored(
    write_maps: Write, fold: Path, job: Job, tmp_path: Path
) -> None:
    data = write_maps(tmp_path / "bids", ["1", "2"], ["EMOTION", "bets", "pain"])
    out, pairs = tmp_path / "out", ("--model-labels", "bets=gambling")
    assert job.plain(data, out, "participant", "--model", str(fold), *QUICK, *pairs) == 0
    found = {each["data_label"]: each for each in rows(out, "1")}
    assert found["EMOTION"]["true_label"] == "emotion"
    assert found["bets"]["true_label"] == "gambling"
    assert pd.isna(found["pain"]["true_label"])
    assert pd.isna(found["pain"]["correct"])
    assert found["pain"]["predicted_label"] in ("emotion", "gambling", "language")
    painful = next((out / "sub-1" / "func").glob("*task-pain*_saliency.json"))
    said = json.loads(painful.read_text())
    assert said["DataClass"] == "pain"
    assert "TrueClass" not in said
    assert said["TargetClass"] == found["pain"]["predicted_label"]
    assert job.plain(data, out, "group") == 0
    metrics = read_table(out / "group_desc-decoding_metrics.tsv").set_index("metric")
    assert metrics.loc["accuracy", "n_maps"] == 4


def test_maps_of_one_unknown_class_are_decoded_and_the_group_level_says_there_is_nothing_to_score(
    write_maps: Write,
    fold: Path,
    job: Job,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = write_maps(tmp_path / "bids", ["1"], ["pain"])
    out = tmp_path / "out"
    assert job.plain(data, out, "participant", "--model", str(fold), *QUICK) == 0
    assert len(rows(out, "1")) == 1
    assert job.plain(data, out, "group") == 0
    assert "No map can be scored" in capsys.readouterr().err
    assert not list(out.glob("group_desc-decoding*.tsv"))


def test_pairs_come_from_a_toml_file_too(
    write_maps: Write, fold: Path, job: Job, tmp_path: Path
) -> None:
    data = write_maps(tmp_path / "bids", ["1"], ["faces"])
    (tmp_path / "labels.toml").write_text('faces = "emotion"\n')
    out, asked = tmp_path / "out", ("--model-labels", str(tmp_path / "labels.toml"))
    assert job.plain(data, out, "participant", "--model", str(fold), *QUICK, *asked) == 0
    assert rows(out, "1")[0]["true_label"] == "emotion"


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (["faces=sadness"], "the decoder has no class sadness"),
        (["houses=emotion"], "the maps have no class houses"),
        (["faces"], "no pair OWN=MODEL"),
        (["=emotion", "faces=emotion"], "is no pair"),
    ],
)
def test_a_wrong_pair_is_a_line(
    write_maps: Write,
    fold: Path,
    job: Job,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    pairs: Sequence[str],
    said: str,
) -> None:
    data = write_maps(tmp_path / "bids", ["1"], ["faces"])
    asked = ("--model", str(fold), *QUICK, "--model-labels", *pairs)
    assert job.plain(data, tmp_path / "out", "participant", *asked) in (64, 66)
    assert said in capsys.readouterr().err


def test_a_copy_on_another_grid_is_written_where_one_is_asked_for(
    others: Path, fold: Path, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    asked = (*QUICK, "--participant-label", "p1", "--resolution", "4")
    assert job.plain(others, out, "participant", "--model", str(fold), *asked) == 0
    assert job.plain(others, out, "group") == 0
    said = json.loads(next(out.glob("group_task-emotion*res-04*_saliency.json")).read_text())
    assert "ResampledFrom" in said
    assert "copy" in said["Statistics"]
    own, copy = sorted((out / "sub-p1" / "func").glob("*task-emotion*_saliency.nii.gz"))[::-1]
    assert "res-08" in own.name
    assert "res-04" in copy.name
    coarse, fine = nib.load(own), nib.load(copy)
    np.testing.assert_allclose(fine.header.get_zooms(), 4)
    world = fine.affine @ np.linalg.inv(coarse.affine)
    np.testing.assert_allclose(world[:3, :3], np.eye(3) / 2, atol=1e-6)
    shared = fine.get_fdata()[::2, ::2, ::2]
    shape = tuple(map(min, zip(shared.shape, coarse.shape, strict=True)))
    a, b = (each[: shape[0], : shape[1], : shape[2]] for each in (shared, coarse.get_fdata()))
    inside = (a != 0) & (b != 0)
    np.testing.assert_allclose(a[inside], b[inside], atol=0.2)
    assert (
        "decoder's grid"
        in json.loads(copy.with_name(copy.name.replace(".nii.gz", ".json")).read_text())[
            "ResampledFrom"
        ]
    )


def test_one_output_folder_is_for_one_decoder(
    others: Path,
    study: Path,
    whole: Path,
    fold: Path,
    job: Job,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert job.plain(others, out, "participant", "--model", str(fold), *QUICK) == 0
    second = fold.with_name("fold-2")
    assert job.plain(others, out, "participant", "--model", str(second), *QUICK) == 64
    assert job.plain(study, out, "participant", *QUICK) == 64
    copied = tmp_path / "copied"
    shutil.copytree(whole / "models", copied / "models")
    assert job.plain(others, copied, "participant", "--model", str(fold), *QUICK) == 64
    assert job.plain(others, copied, "participant", "--model", str(copied), *QUICK) == 64
    assert job.plain(others, out, "train", "--model", str(fold), *QUICK) == 64
    assert capsys.readouterr().err.count("one OUTPUT_DIR is for one decoder") == 3


def test_without_a_model_the_grid_must_be_named(
    others: Path, job: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert job.plain(others, tmp_path / "out", "participant", "--resolution", "0") == 64
    assert "--model" in capsys.readouterr().err


def test_a_decoder_of_the_whole_volume_measures_what_is_missing_in_the_brain(
    template: Template, monkeypatch: pytest.MonkeyPatch, whole: Path
) -> None:
    import torch

    from fmridecode.bundles.bundle import load

    decoder = load(next(iter((whole / "models").glob("*/fold-1"))), device=torch.device("cpu"))
    inner = decoder.decoder
    object.__setattr__(inner, "zscore", "volume")
    inner.model.mask.fill_(True)
    monkeypatch.setattr(given_module, "target_grid", lambda _: template)
    found = given_module.template_of(inner)
    assert (found.mask == template.mask).all()


def test_maps_unlike_the_training_maps_are_told(
    others: Path, fold: Path, job: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "bids", tmp_path / "out"
    shutil.copytree(others, data)
    for path in (data / "sub-p2" / "func").glob("*_statmap.nii.gz"):
        image = nib.load(path)
        loud = nib.Nifti1Image((1e4 * image.get_fdata()).astype(np.float32), image.affine)
        nib.save(loud, path)
    assert job.plain(data, out, "participant", "--model", str(fold), *QUICK) == 0
    assert all(each["unlike_training"] > 5 for each in rows(out, "p2"))
    assert {each["unlike_in"] for each in rows(out, "p2")} == {"log10_sd"}
    assert "maps are unlike those that trained" in capsys.readouterr().err


def test_the_mean_of_several_folds_says_how_far_they_disagree(
    others: Path, whole: Path, fold: Path, job: Job, tmp_path: Path
) -> None:
    out, asked = tmp_path / "out", (*QUICK, "--participant-label", "p1")
    assert job.plain(others, out, "participant", "--model", str(whole), *asked) == 0
    for each in rows(out, "p1"):
        assert 0 < each["disagreement"] < np.log(3)
        assert round(3 * each["agreement"], 3) in (1, 2, 3)
    alone = tmp_path / "alone"
    assert job.plain(others, alone, "participant", "--model", str(fold), *asked) == 0
    assert all(np.isnan(each["disagreement"]) for each in rows(alone, "p1"))


def test_whatever_is_measured_by_default_is_measured_with_a_given_decoder_too(
    others: Path, fold: Path, whole: Path, job: Job, tmp_path: Path
) -> None:
    asked = ("--saliency", "gradient", "--participant-label", "p1", "--nprocs", "1")
    for name, model in (("one", fold), ("mean", whole)):
        out = tmp_path / name
        assert job.plain(others, out, "participant", "--model", str(model), *asked) == 0
        assert (out / "sub-p1/func/sub-p1_desc-faithfulness_scores.tsv").exists()
        assert job.plain(others, out, "group") == 0
        assert (out / "group_desc-faithfulness_summary.tsv").exists()


def test_what_needs_a_training_is_refused(
    others: Path, fold: Path, job: Job, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("--model", str(fold), "--permutation-refits", "10")
    assert job.plain(others, tmp_path / "out", "participant", *asked) == 64
    assert "leave it out" in capsys.readouterr().err
