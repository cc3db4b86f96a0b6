"""Every producer's tree ends in the same classes, whatever its dialect."""

import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from fmridecode.bids.classes import plan_examples
from fmridecode.bids.maps import prepare
from fmridecode.bids.plan import Plan
from fmridecode.bids.query import look_for_maps
from fmridecode.bids.settings import InputConfig, SpaceConfig
from fmridecode.bids.templates import Template
from fmridecode.cli.main import main
from fmridecode.pipeline.preparing.assignments import assignment_table, write_assignments

from .conftest import AFFINE, SHAPE, SPACE

Dataset = Callable[..., Path]
PAIN_SOCIAL = ("pain", "social")
WHO = ("01", "02")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Names as a producer writes them, and what is to come of them."""

    names: tuple[str, ...]
    label_by: str
    classes: tuple[str, ...]
    sources: int = 1
    others: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ("",)


def every(pattern: str, values: Sequence[str]) -> tuple[str, ...]:
    """Fill in each participant and each value, and the space."""
    filled = [pattern.replace("{}", v).replace("{s}", s) for s in WHO for v in values]
    return tuple(each.replace("_S_", f"_space-{SPACE}_") for each in filled)


DIALECTS = {
    "fitlins": Dialect(
        names=every(
            "node-subjectLevel/sub-{s}/sub-{s}_contrast-{}_S_stat-z_statmap.nii.gz",
            ("faces", "objects"),
        ),
        others=every(
            "node-runLevel/sub-{s}/sub-{s}_task-x_run-1_contrast-{}_S_stat-z_statmap.nii.gz",
            ("faces", "objects"),
        )
        + every("node-subjectLevel/sub-{s}/sub-{s}_contrast-{}_statmap.nii.gz", ("faces_stat-p",)),
        label_by="contrast",
        classes=("faces", "objects"),
    ),
    "fitlins at run level only": Dialect(
        names=every(
            "node-runLevel/sub-{s}/sub-{s}_task-x_run-{}_S_stat-effect_statmap.nii.gz",
            ("1_contrast-faces", "1_contrast-objects", "2_contrast-faces", "2_contrast-objects"),
        ),
        label_by="contrast",
        classes=("faces", "objects"),
        sources=2,
    ),
    "halfpipe": Dialect(
        names=every(
            "sub-{s}/func/task-{}_S_stat-z_statmap.nii.gz",
            (
                "face/sub-{s}_task-face_feature-glm_taskcontrast-faceShape",
                "rest/sub-{s}_task-rest_feature-glm_taskcontrast-left",
            ),
        ),
        others=every("sub-{s}/func/task-face/sub-{s}_task-face_{}_mask.nii.gz", ("desc-x",)),
        label_by="contrast",
        classes=("faceShape", "left"),
    ),
    "fmriprep style": Dialect(
        names=every(
            "sub-{s}/func/sub-{s}_task-{}_S_res-2_stat-t_statmap.nii.gz",
            PAIN_SOCIAL,
        ),
        others=every("sub-{s}/func/sub-{s}_task-pain_S_desc-{}_bold.nii.gz", ("preproc",)),
        label_by="task",
        classes=PAIN_SOCIAL,
    ),
    "sessions": Dialect(
        names=every(
            "sub-{s}/ses-{}_S_stat-z_statmap.nii.gz",
            tuple(f"{e}/func/sub-{{s}}_ses-{e}_task-{t}" for e in "ab" for t in PAIN_SOCIAL),
        ),
        label_by="task",
        classes=PAIN_SOCIAL,
        sessions=("a", "b"),
    ),
    "older nilearn, flat": Dialect(
        names=every("sub-{s}_task-motor_contrast-{}_stat-z_statmap.nii.gz", ("lfMinusRf", "rest")),
        others=every("sub-{s}_task-motor_contrast-rest_stat-{}_statmap.nii.gz", ("p", "t")),
        label_by="contrast",
        classes=("lfMinusRf", "rest"),
    ),
}  # fmt: skip


def plan(root: Path, dialect: Dialect) -> Plan:
    config = InputConfig(label_by=dialect.label_by)
    return plan_examples(look_for_maps(root, config).maps, config)


@pytest.mark.parametrize("name", DIALECTS)
def test_a_dialect_makes_its_classes(dataset: Dataset, tmp_path: Path, name: str) -> None:
    dialect = DIALECTS[name]
    root = dataset(*dialect.names, *dialect.others, empty=True)
    made = plan(root, dialect)
    assert tuple(each.name for each in made.classes) == dialect.classes
    assert [(e.participant, e.session, e.label) for e in made.examples] == [
        (who, when, label) for who in WHO for when in dialect.sessions for label in (0, 1)
    ]
    assert {len(each.sources) for each in made.examples} == {dialect.sources}
    used = {m.path.name for e in made.examples for m in e.sources}
    assert used == {Path(each).name for each in dialect.names}


@pytest.mark.parametrize("name", DIALECTS)
def test_what_went_where_has_a_row_for_every_image(
    dataset: Dataset, tmp_path: Path, name: str
) -> None:
    dialect = DIALECTS[name]
    root = dataset(*dialect.names, *dialect.others, empty=True)
    config = InputConfig(label_by=dialect.label_by)
    found = look_for_maps(root, config)
    table = assignment_table(plan_examples(found.maps, config), found.left_out)
    assert sorted(table["source"]) == sorted(
        f"bids:input:{each}" for each in (*dialect.names, *dialect.others)
    )
    used = table["class"].notna()
    assert set(table["class"][used]) == set(dialect.classes)
    assert table["reason"].notna().equals(~used)
    assert set(table["weight"][used]) == {1 / dialect.sources}
    write_assignments(tmp_path / "out", plan_examples(found.maps, config), found.left_out)
    said = json.loads((tmp_path / "out/logs/classes.json").read_text())
    assert list(said) == list(table.columns)


def test_a_dry_run_prints_who_has_what_and_why_files_are_left_out(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    dialect = DIALECTS["fitlins"]
    root = dataset(*dialect.names[1:], *dialect.others, empty=True)
    line = [str(root), str(tmp_path / "out"), "participant", "--label-by", "contrast"]
    assert main([*line, "--dry-run"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "4 maps would make 4 examples of 2 participants in 2 classes."
    assert [row.split() for row in said[3:6]] == [
        ["participant", "faces", "objects"], ["sub-01", "1", "1"], ["sub-02", "1", "1"],
    ]  # fmt: skip
    assert "Left out: 5 files" in said
    assert "  stat is not z (2):" in said
    assert f"    bids:input:{dialect.others[-1]}" in said
    assert not (tmp_path / "out").exists()


def test_a_dry_run_counts_sessions_and_names_who_lacks_a_class(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    names = DIALECTS["sessions"].names
    root = dataset(*names[:-1], empty=True)
    assert main([str(root), str(tmp_path / "out"), "train", "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert "sub-02       ses-b    1     -" in said
    assert "No file is left out." in said
    assert main([str(root), "out", "train", "--dry-run", "--participant-label", "9"]) == 18


def write_bids_with_nilearn(out: Path) -> None:
    """Let nilearn itself write two participants' maps."""
    from nilearn.glm.first_level import FirstLevelModel
    from nilearn.interfaces.bids import save_glm_to_bids

    rng = np.random.default_rng(0)
    mask = nib.Nifti1Image(np.ones(SHAPE, dtype=np.int8), AFFINE)
    for who in WHO:
        design = pd.DataFrame(rng.normal(size=(20, 2)), columns=["LF", "RF"])
        effects = rng.normal(0, 3, (*SHAPE, 2))
        noisy = 100 + effects @ design.to_numpy().T + rng.normal(size=(*SHAPE, 20))
        bold = nib.Nifti1Image(noisy.astype(np.float32), AFFINE)
        design["constant"] = 1.0
        model = FirstLevelModel(mask_img=mask, minimize_memory=False, signal_scaling=False)
        model.fit(bold, design_matrices=design)
        save_glm_to_bids(
            model,
            contrasts={"LF-RF": np.array([1.0, -1, 0]), "RF": np.array([0, 1.0, 0])},
            out_dir=out,
            prefix=f"sub-{who}_task-motor",
        )


def test_what_nilearn_itself_writes_is_used_as_it_is(tmp_path: Path, template: Template) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nilearn's own, about the tiny model
        write_bids_with_nilearn(tmp_path / "glm")
    config = InputConfig(label_by="contrast")
    found = look_for_maps(tmp_path / "glm", config)
    made = plan_examples(found.maps, config)
    assert [(c.task, c.name) for c in made.classes] == [("motor", "lfMinusRf"), ("motor", "rf")]
    assert made.stat == "z"
    assert {reason for _, reason in made.left_out} == {
        "stat is not z",
        "its name does not say its contrast",
    }
    maps = prepare(
        made,
        template,
        inputs=config,
        space=SpaceConfig(resolution=8, input_space=SPACE),
        work_dir=tmp_path / "work",
    ).maps
    assert maps.participants == ("01", "01", "02", "02")


def as_float32(path: Path, data: np.ndarray, affine: np.ndarray) -> None:
    nib.save(nib.Nifti1Image(data, affine), path.with_suffix(".nii.gz"))


def as_plain_nii(path: Path, data: np.ndarray, affine: np.ndarray) -> None:
    nib.save(nib.Nifti1Image(data, affine), path.with_suffix(".nii"))


def as_pair(path: Path, data: np.ndarray, affine: np.ndarray) -> None:
    nib.save(nib.Nifti1Pair(data, affine), path.with_suffix(".img"))


def as_scaled_int16(path: Path, data: np.ndarray, affine: np.ndarray) -> None:
    image = nib.Nifti1Image(data, affine)
    image.set_data_dtype(np.int16)  # nibabel chooses slope and intercept
    nib.save(image, path.with_suffix(".nii.gz"))


def as_big_endian(path: Path, data: np.ndarray, affine: np.ndarray) -> None:
    header = nib.Nifti1Header(endianness=">")
    header.set_data_dtype(">f4")
    nib.save(nib.Nifti1Image(data, affine, header), path.with_suffix(".nii.gz"))


def as_4d_with_one_volume(path: Path, data: np.ndarray, affine: np.ndarray) -> None:
    nib.save(nib.Nifti1Image(data[..., None], affine), path.with_suffix(".nii.gz"))


def with_negative_steps(path: Path, data: np.ndarray, affine: np.ndarray) -> None:
    """Store left to right and back to front, as FSL's and SPM's templates are."""
    flip = np.diag([-1.0, -1.0, 1.0, 1.0])
    flip[:2, 3] = np.asarray(data.shape[:2]) - 1
    nib.save(nib.Nifti1Image(data[::-1, ::-1], affine @ flip), path.with_suffix(".nii.gz"))


CONTAINERS = (
    as_plain_nii, as_pair, as_scaled_int16, as_big_endian, as_4d_with_one_volume,
    with_negative_steps,
)  # fmt: skip


@pytest.mark.parametrize("write", CONTAINERS)
def test_the_container_changes_nothing(
    dataset: Dataset, tmp_path: Path, template: Template, write: Callable[..., None]
) -> None:
    affine = np.array([[3.0, 0, 0, -40], [0, 3, 0, -40], [0, 0, 3, -40], [0, 0, 0, 1]])
    indices = np.indices((28, 29, 31))
    values = []
    for root, how in ((dataset(root="plain"), as_float32), (dataset(root="other"), write)):
        for k, task in enumerate("ab"):
            data = (np.sin(indices[k] / 5 + 1) + np.cos(indices[2] / 7)).astype(np.float32)
            path = root / f"sub-01/func/sub-01_task-{task}_space-{SPACE}_statmap"
            path.parent.mkdir(parents=True, exist_ok=True)
            how(path, data, affine)
        config = InputConfig()
        made = plan_examples(look_for_maps(root, config).maps, config)
        space = SpaceConfig(resolution=8)
        work = tmp_path / root.name
        prepared = prepare(made, template, inputs=config, space=space, work_dir=work)
        values.append(prepared.maps.values)
    np.testing.assert_allclose(values[0], values[1], atol=2e-3)
