import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import torch

from fmridecode.bids.derivatives import read_table
from fmridecode.bids.parcels import read_matrix
from fmridecode.bids.templates import Template
from fmridecode.bundles.bundle import load

NAMES = ("left back", "left front", "right back", "right front")
STEM = "space-MNI152NLin2009cAsym_atlas-Quarters_dseg"
FAMILY = ("--group-column", "family")
OFF = [each for name in ("sanity", "reliability", "robustness") for each in (f"--{name}", "off")]


@pytest.fixture(scope="module")
def quarters(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an atlas of the quarters of the grid, and a fifth parcel outside of the mask."""
    shape = template.grid.shape
    x, y = np.indices(shape)[:2]
    labels = 1 + 2 * (x >= shape[0] // 2) + (y >= shape[1] // 2)
    outside = np.argwhere(~template.mask)[0]
    labels[tuple(outside)] = 5
    path = tmp_path_factory.mktemp("atlas") / f"{STEM}.nii.gz"
    nib.Nifti1Image(labels.astype(np.int16), template.grid.matrix).to_filename(path)
    rows = "".join(f"{k}\t{name}\n" for k, name in enumerate((*NAMES, "nowhere"), start=1))
    path.with_name(f"{STEM}.tsv").write_text(f"index\tname\n{rows}")
    return path


@pytest.fixture
def run(
    whole: Path, study: Path, job: Callable[..., int], quarters: Path, tmp_path: Path
) -> Callable[..., Path]:
    """Explain participant 001 with the decoders of the whole run."""

    def explain(*options: str) -> Path:
        out = tmp_path / "out"
        shutil.copytree(whole / "models", out / "models", dirs_exist_ok=True)
        asked = ("--participant-label", "001", "--atlas", str(quarters), *options)
        assert job(study, out, "participant", *FAMILY, *asked) == 0
        return out / "sub-001" / "func"

    return explain


def test_every_map_has_a_matrix_of_parcels_that_says_what_it_is(
    run: Callable[..., Path], capsys: pytest.CaptureFixture[str], template: Template
) -> None:
    func = run("--saliency", "gradient", "hessian", *OFF, "--faithfulness", "off")
    assert (said := capsys.readouterr().err).count("1 parcels of") == 1
    assert "nowhere" in said
    tables = sorted(func.glob("*_interactions.tsv"))
    assert [each.name for each in tables] == [
        f"sub-001_task-{task}_space-MNI152NLin2009cAsym_seg-Quarters_res-08"
        f"_desc-hessianTo{task.title()}_interactions.tsv"
        for task in ("emotion", "gambling", "language")
    ]
    for path in tables:
        names, matrix = read_matrix(path)
        assert names == NAMES
        assert np.array_equal(matrix, matrix.T)
        about = json.loads(path.with_suffix(".json").read_text())
        assert about["SaliencyMethod"] == "hessian"
        assert about["TargetClass"] == about["TrueClass"]
        assert about["Atlas"] == f"{STEM}.nii.gz"
        assert about["ParcelsOutside"] == ["nowhere"]
        assert sum(about["ParcelVoxels"].values()) == template.mask.sum()
        assert about["Asymmetry"] < 5e-3
        assert about["TrainedOnParticipant"] is False
        assert "no rectified units" in about["Activation"]
    assert len(list(func.glob("*_saliency.nii.gz"))) == 3


def test_the_matrix_of_a_linear_decoder_is_that_of_its_weights(
    run: Callable[..., Path], quarters: Path
) -> None:
    func = run("--saliency", "gradient", "hessian", *OFF, "--faithfulness", "off")
    path = next(func.glob("*_task-gambling_*_interactions.tsv"))
    about = json.loads(path.with_suffix(".json").read_text())
    (bundle,) = (
        each
        for folder in func.parents[1].glob("models/*/fold-*")
        if (each := load(folder, device=torch.device("cpu"))).hash == about["DecoderHash"]
    )
    decoder = bundle.decoder
    mask = decoder.model.mask.numpy()
    labels = np.asarray(nib.load(quarters).dataobj)[mask]
    weights = decoder.model.head.weight.detach().double().numpy()
    pooled = np.stack([weights[:, labels == k].sum(axis=1) for k in range(1, 5)], axis=1)
    predictions = read_table(func / "sub-001_desc-decoding_predictions.tsv")
    row = predictions[predictions["true_label"] == "gambling"].iloc[0]
    names = [each.name for each in decoder.classes]
    q = np.array([row[f"prob_{each}"] if each != "gambling" else 0.0 for each in names])
    q /= q.sum()
    apart = pooled - q @ pooled
    expected = -(q[:, None] * apart).T @ apart / decoder.temperature**2
    np.testing.assert_allclose(read_matrix(path)[1], expected, atol=5e-3 * np.abs(expected).max())


def test_the_targets_are_those_of_the_maps(run: Callable[..., Path]) -> None:
    options = (*OFF, "--faithfulness", "off")
    func = run("--saliency", "gradient", "hessian", "--target", "all", *options)
    maps = {path.name.split("_desc-gradientTo")[1] for path in func.glob("*_saliency.nii.gz")}
    found = {path.name.split("_desc-hessianTo")[1] for path in func.glob("*_interactions.tsv")}
    assert {name.removesuffix("_saliency.nii.gz") for name in maps} == {
        name.removesuffix("_interactions.tsv") for name in found
    }
    assert len(list(func.glob("*_interactions.tsv"))) == 9
    func = run("--saliency", "hessian", "--target", "emotion>language", *options)
    path = next(func.glob("*hessianToEmotionMinusLanguage_interactions.tsv"))
    assert not read_matrix(path)[1].any()  # a linear decoder, between two classes


def test_the_method_alone_leaves_the_rest_of_the_run_as_it_is(
    run: Callable[..., Path], study: Path, job: Callable[..., int]
) -> None:
    func = run("--saliency", "hessian")
    assert len(list(func.glob("*_interactions.tsv"))) == 3
    assert not list(func.glob("*_saliency.nii.gz"))
    assert len(read_table(func / "sub-001_desc-interpretability_scores.tsv")) == 0
    assert len(read_table(func / "sub-001_desc-decoding_predictions.tsv")) == 3
    assert job(study, func.parents[1], "group") == 0


def test_a_matrix_of_another_decoder_is_removed(run: Callable[..., Path]) -> None:
    options = ("--saliency", "hessian", *OFF)
    func = run(*options)
    path = next(func.glob("*_interactions.tsv"))
    stale = path.with_name(path.name.replace("seg-Quarters", "seg-Other"))
    shutil.copy(path, stale)
    about = json.loads(path.with_suffix(".json").read_text())
    stale.with_suffix(".json").write_text(json.dumps({**about, "DecoderHash": "another"}))
    run(*options)
    assert path.exists()
    assert not stale.exists()
    assert not stale.with_suffix(".json").exists()


def test_a_run_that_will_take_long_says_so_first(
    run: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("fmridecode.pipeline.participant.interactions.WORTH_SAYING", 0)
    run("--saliency", "hessian", *OFF)
    assert "The interactions of 4 parcels in about 3 maps" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "code", "expected"),
    [
        ((), 64, "name their atlas with --atlas"),
        (("--atlas", "missing.nii.gz"), 66, "missing.tsv is not there"),
        (("--atlas", "../x"), 64, "--atlas is '../x'"),
    ],
)
def test_without_an_atlas_that_serves_nothing_is_trained(
    options: tuple[str, ...],
    code: int,
    expected: str,
    study: Path,
    job: Callable[..., int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    assert job(study, out, "participant", "--saliency", "hessian", *options) == code
    (line,) = [each for each in capsys.readouterr().err.splitlines() if expected in each]
    assert line
    assert not (out / "models").exists() or not list((out / "models").glob("*/fold-*"))


def test_an_atlas_of_one_parcel_in_the_brain_is_refused(
    study: Path,
    job: Callable[..., int],
    tmp_path: Path,
    template: Template,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "one.nii.gz"
    nib.Nifti1Image(template.mask.astype(np.int16), template.grid.matrix).to_filename(path)
    (tmp_path / "one.tsv").write_text("index\tname\n1\tbrain\n")
    options = ("--saliency", "hessian", "--atlas", str(path))
    assert job(study, tmp_path / "out", "participant", *options) == 65
    assert "has 1 of its 1 parcels in the brain mask" in capsys.readouterr().err
