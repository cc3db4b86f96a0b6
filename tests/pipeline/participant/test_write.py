import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from fmridecode.bids.derivatives import read_table
from fmridecode.core.criteria import pearson

PREFIX = "sub-001_task-{}_space-MNI152NLin2009cAsym_res-08_desc-gradient"
GRADIENT = ("--group-column", "family", "--saliency", "gradient")
SIDECAR = {
    "Description",
    "Sources",
    "SpatialReference",
    "Resolution",
    "SkullStripped",
    "SaliencyMethod",
    "TargetClass",
    "Sign",
    "Units",
    "Temperature",
    "DecoderHash",
    "TrainedOnParticipant",
    "SoftwareVersion",
}
COLUMNS = {
    "desc-decoding_predictions": {
        "participant_id",
        "session_id",
        "source",
        "true_label",
        "predicted_label",
        "correct",
        "fold",
        "seen_in_training",
    },
    "desc-interpretability_scores": {
        "participant_id",
        "label",
        "method",
        "criterion",
        "target",
        "pearson_r",
        "n_voxels",
        "n_classes",
    },
}


def said(path: Path) -> dict:
    return json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text())


def zscored(study: Path, who: str, mask: np.ndarray) -> dict[str, np.ndarray]:
    """Return the participant's maps, z-scored by hand; they lie on the template's grid."""
    maps = {}
    for path in (study / who / "func").glob("*_statmap.nii.gz"):
        values = nib.load(path).get_fdata()[mask]
        task = path.name.split("task-")[1].split("_")[0]
        maps[task] = (values - values.mean()) / values.std()
    return maps


@pytest.fixture
def explained(
    whole: Path, study: Path, job: Callable[..., int], tmp_path: Path
) -> Callable[..., Path]:
    """Explain participant 001 alone with the decoders of the whole run."""

    def run(*options: str) -> Path:
        out = tmp_path / "out"
        shutil.copytree(whole / "models", out / "models", dirs_exist_ok=True)
        asked = ("--participant-label", "001", *options)
        assert job(study, out, "participant", *GRADIENT, *asked) == 0
        return out / "sub-001" / "func"

    return run


def test_maps_are_float32_on_the_template_and_zero_outside_the_mask(
    whole: Path, job: Callable[..., int]
) -> None:
    grid, mask = job.template.grid, job.template.mask
    paths = list((whole / "sub-001" / "func").glob("*_saliency.nii.gz"))
    assert paths
    for path in paths:
        image = nib.load(path)
        assert image.get_data_dtype() == np.float32
        assert grid.equals(image.shape, image.affine)
        assert image.header.get_xyzt_units()[0] == "mm"
        values = image.get_fdata()
        assert not values[~mask].any()
        assert np.sqrt(np.mean(values[mask] ** 2)) == pytest.approx(1, abs=1e-4)


def test_sidecars_say_all_that_the_design_promises(whole: Path, study: Path) -> None:
    for path in (whole / "sub-001" / "func").glob("*_saliency.nii.gz"):
        found = said(path)
        assert found.keys() >= SIDECAR
        for uri in found["Sources"]:
            _, name, inside = uri.split(":")
            links = json.loads((whole / "dataset_description.json").read_text())["DatasetLinks"]
            assert (Path(links[name].removeprefix("file://")) / inside).is_file()


def test_tables_have_their_columns_and_explain_every_one(whole: Path) -> None:
    for ending, wanted in COLUMNS.items():
        path = whole / "sub-001" / "func" / f"sub-001_{ending}.tsv"
        columns = list(read_table(path).columns)
        assert set(columns) >= wanted
        dictionary = json.loads(path.with_suffix(".json").read_text())
        assert list(dictionary) == columns
        assert all(each["Description"] for each in dictionary.values())


def test_probabilities_are_of_all_classes_and_choose_the_prediction(whole: Path) -> None:
    path = whole / "sub-001" / "func" / "sub-001_desc-decoding_predictions.tsv"
    table = read_table(path)
    columns = ["prob_emotion", "prob_gambling", "prob_language"]
    assert [c for c in table.columns if c.startswith("prob_")] == columns
    assert np.allclose(table[columns].sum(axis=1), 1, atol=1e-5)
    assert list("prob_" + table["predicted_label"]) == list(table[columns].idxmax(axis=1))
    assert (table["correct"] == (table["true_label"] == table["predicted_label"])).all()


def test_scores_can_be_recomputed_from_the_written_maps(
    whole: Path, study: Path, job: Callable[..., int]
) -> None:
    mask = job.template.mask
    own = zscored(study, "sub-001", mask)
    mean = np.mean(list(own.values()), axis=0)
    scores = read_table(whole / "sub-001" / "func" / "sub-001_desc-interpretability_scores.tsv")
    chosen = scores[(scores["method"] == "gradient") & (scores["criterion"] == "CIA")]
    assert len(chosen) == 3
    for label, written in zip(chosen["label"], chosen["pearson_r"], strict=True):
        name = f"{PREFIX.format(label)}To{label.capitalize()}_saliency.nii.gz"
        saliency = nib.load(whole / "sub-001" / "func" / name).get_fdata()[mask]
        assert written == pytest.approx(pearson(saliency, own[label] - mean), abs=1e-3)


def test_cad_scores_every_other_class_that_the_participant_has(
    whole: Path, study: Path, job: Callable[..., int], explained: Callable[..., Path]
) -> None:
    mask = job.template.mask
    own, func = zscored(study, "sub-001", mask), explained("--target", "all")
    scores = read_table(func / "sub-001_desc-interpretability_scores.tsv")
    chosen = scores[scores["criterion"] == "CAD"]
    assert len(chosen) == 3 * 2
    for label, target, written in chosen[["label", "target", "pearson_r"]].itertuples(index=False):
        name = f"{PREFIX.format(label)}To{target.capitalize()}_saliency.nii.gz"
        saliency = nib.load(func / name).get_fdata()[mask]
        assert written == pytest.approx(pearson(saliency, own[target] - own[label]), abs=1e-3)


def test_a_difference_of_two_classes_is_the_difference_of_their_gradients(
    explained: Callable[..., Path],
) -> None:
    func = explained("--target", "all")
    explained("--target", "emotion>language")
    base = PREFIX.format("gambling")
    a, b = (func / f"{base}To{name}_saliency.nii.gz" for name in ("Emotion", "Language"))
    difference = func / f"{base}ToEmotionMinusLanguage_saliency.nii.gz"
    raw = [nib.load(each).get_fdata() * said(each)["GradientRMS"] for each in (a, b, difference)]
    assert np.allclose(raw[2], raw[0] - raw[1], atol=1e-5 * abs(raw[2]).max())
    assert said(difference)["TargetClass"] == "emotion>language"


def test_the_gradients_of_all_classes_sum_to_zero(explained: Callable[..., Path]) -> None:
    func = explained("--target", "all")
    paths = sorted(func.glob(f"{PREFIX.format('gambling')}To*_saliency.nii.gz"))
    assert len(paths) == 3
    raw = [nib.load(each).get_fdata() * said(each)["GradientRMS"] for each in paths]
    assert np.allclose(sum(raw), 0, atol=1e-5 * abs(raw[0]).max())


@pytest.mark.parametrize(("target", "n_maps"), [("true", 3), ("predicted", 3), ("all", 9)])
def test_targets_decide_which_maps_are_written(
    target: str, n_maps: int, explained: Callable[..., Path]
) -> None:
    func = explained("--target", target)
    written = list(func.glob("*_saliency.nii.gz"))
    assert len(written) == n_maps
    if target == "all":
        return
    table = read_table(func / "sub-001_desc-decoding_predictions.tsv").set_index("true_label")
    for path in written:
        found = said(path)
        expected = table.loc[found["TrueClass"], "predicted_label"]
        assert found["TargetClass"] == (found["TrueClass"] if target == "true" else expected)


def test_weights_of_a_linear_decoder_are_the_same_for_every_map(
    explained: Callable[..., Path],
) -> None:
    func = explained("--saliency", "weights", "--target", "all")
    maps = [nib.load(path).get_fdata() for path in func.glob("*_desc-weightsToEmotion_*.nii.gz")]
    assert len(maps) == 3
    assert np.array_equal(maps[0], maps[1])
    assert np.array_equal(maps[0], maps[2])


def test_maps_that_another_decoder_left_are_removed(explained: Callable[..., Path]) -> None:
    func = explained("--target", "all")
    stale = func / f"{PREFIX.format('emotion')}ToLanguage_saliency.nii.gz"
    sidecar = stale.with_name(stale.name.replace(".nii.gz", ".json"))
    sidecar.write_text(json.dumps({**said(stale), "DecoderHash": "another"}))
    explained("--target", "true")
    assert not stale.exists()
    assert not sidecar.exists()
    assert len(list(func.glob("*_saliency.nii.gz"))) == 8  # what the same decoder left is kept


def test_faithfulness_switched_off_leaves_no_earlier_table(
    explained: Callable[..., Path],
) -> None:
    func = explained("--faithfulness", "full")
    table = read_table(func / "sub-001_desc-faithfulness_scores.tsv")
    assert set(table["replacement"]) == {"zero", "smoothed"}
    func = explained("--faithfulness", "off")
    assert not list(func.glob("*faithfulness*"))
