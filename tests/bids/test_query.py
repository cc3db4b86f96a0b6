import json
import logging
import warnings
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from fmridecode.bids.datasets import map_datasets
from fmridecode.bids.index import fingerprint
from fmridecode.bids.query import find_maps
from fmridecode.bids.settings import InputConfig
from fmridecode.errors import InvalidBIDSError, NoInputError, NothingMatchedError, UsageError

Dataset = Callable[..., Path]
PLAIN = [
    f"sub-{s}/func/sub-{s}_task-{t}_contrast-go_stat-{stat}_statmap.nii.gz"
    for s in ("01", "02")
    for t in ("pain", "social")
    for stat in ("z", "effect")
]


def test_labels_are_read_off_plain_names(dataset: Dataset) -> None:
    root = dataset(
        "sub-01/ses-a/func/sub-01_ses-a_task-pain_run-01_space-MNI_contrast-heat_stat-z_statmap.nii.gz",
        empty=True,
    )
    (found,) = find_maps(root, InputConfig())
    assert (found.participant, found.session, found.run) == ("01", "a", "01")
    assert (found.task, found.contrast, found.stat, found.space) == ("pain", "heat", "z", "MNI")
    assert found.uri == f"bids:input:{found.path.relative_to(root.resolve()).as_posix()}"


def test_maps_of_fitlins_and_halfpipe_are_read_alike(dataset: Dataset) -> None:
    root = dataset(
        "node-subjectLevel/sub-01/sub-01_contrast-heat_stat-effect_statmap.nii.gz",
        "sub-02/func/task-pain/sub-02_task-pain_feature-F_taskcontrast-heat_stat-z_statmap.nii.gz",
        empty=True,
    )
    fitlins, halfpipe = find_maps(root, InputConfig())
    assert (fitlins.node, fitlins.contrast) == ("subjectLevel", "heat")
    assert (halfpipe.task, halfpipe.contrast) == ("pain", "heat")
    assert ("feature", "F") in halfpipe.others


def test_other_images_and_group_maps_are_no_maps(dataset: Dataset) -> None:
    root = dataset(
        *PLAIN,
        "sub-01/func/sub-01_desc-brain_mask.nii.gz",
        "group/task-pain_contrast-go_stat-z_statmap.nii.gz",
        "sub-01/func/._sub-01_task-pain_contrast-go_stat-t_statmap.nii.gz",
        empty=True,
    )
    assert len(find_maps(root, InputConfig())) == len(PLAIN)


def test_pairs_count_once(dataset: Dataset) -> None:
    root = dataset(
        "sub-01/sub-01_task-a_statmap.hdr", "sub-01/sub-01_task-a_statmap.img", empty=True
    )
    assert [each.path.suffix for each in find_maps(root, InputConfig())] == [".img"]


def test_participants_and_tasks_are_filtered_with_or_without_prefix(dataset: Dataset) -> None:
    root = dataset(*PLAIN, empty=True)
    config = InputConfig(participant_label=("sub-02",), task_id=("task-PAIN",))
    assert {(m.participant, m.task) for m in find_maps(root, config)} == {("02", "pain")}


def test_a_participant_that_is_not_there_is_named_with_those_who_are(dataset: Dataset) -> None:
    root = dataset(*PLAIN, empty=True)
    with pytest.raises(NothingMatchedError, match=r"no map for 07; there are maps for 01, 02"):
        find_maps(root, InputConfig(participant_label=("01", "07")))


def test_a_session_that_is_not_there_is_named(dataset: Dataset) -> None:
    root = dataset(*PLAIN, empty=True)
    with pytest.raises(NothingMatchedError, match=r"--session-label: no map for 1.*for none"):
        find_maps(root, InputConfig(session_label=("1",)))


def test_a_filter_file_works_as_in_fmriprep(dataset: Dataset, tmp_path: Path) -> None:
    root = dataset(*PLAIN, PLAIN[0].replace("task-pain", "task-pain_run-2"), empty=True)
    path = tmp_path / "filter.json"

    def count(filters: object) -> int:
        path.write_text(json.dumps(filters), encoding="utf-8")
        return len(find_maps(root, InputConfig(bids_filter_file=str(path))))

    assert count({"statmap": {"stat": "z"}}) == 5
    assert count({"task": ["pain", "social"], "stat": "effect"}) == 4
    assert count({"run": None}) == 8
    assert count({"run": "*"}) == 1
    assert count({"run": 2}) == 1
    with pytest.raises(NothingMatchedError, match=r"labels of stat are z \(5\), effect \(4\)"):
        count({"stat": "p"})
    with pytest.raises(NothingMatchedError, match=r"entity 'tsk'.*did you mean task"):
        count({"tsk": "pain"})
    with pytest.raises(UsageError, match="holds a list"):
        count(["stat"])
    with pytest.raises(UsageError, match="the filter 'stat'"):
        count({"stat": {"a": 1}})


def test_a_broken_filter_file_is_one_line(dataset: Dataset, tmp_path: Path) -> None:
    root = dataset(*PLAIN, empty=True)
    path = tmp_path / "filter.json"
    with pytest.raises(NoInputError, match="cannot be read"):
        find_maps(root, InputConfig(bids_filter_file=str(path)))
    path.write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match="not valid JSON"):
        find_maps(root, InputConfig(bids_filter_file=str(path)))


def test_no_map_says_what_is_there(dataset: Dataset) -> None:
    root = dataset("sub-01/func/sub-01_task-a_bold.nii.gz", empty=True)
    (root / "derivatives" / "glm").mkdir(parents=True)
    with pytest.raises(NothingMatchedError, match=r"suffixes are bold \(1\).*-d glm="):
        find_maps(root, InputConfig())


def test_missing_empty_and_undescribed_folders_are_told_apart(
    dataset: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(NoInputError, match="does not exist"):
        find_maps(tmp_path / "nowhere", InputConfig())
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoInputError, match="is empty"):
        find_maps(tmp_path / "empty", InputConfig())
    root = dataset(empty=True)
    with pytest.raises(NoInputError, match="No NIfTI image"):
        find_maps(root, InputConfig())
    with pytest.raises(NoInputError, match="is a file"):
        find_maps(root / "dataset_description.json", InputConfig())


def test_a_missing_description_stops_unless_validation_is_skipped(dataset: Dataset) -> None:
    root = dataset(*PLAIN, empty=True)
    (root / "dataset_description.json").unlink()
    with pytest.raises(InvalidBIDSError, match="is missing"):
        find_maps(root, InputConfig())
    assert len(find_maps(root, InputConfig(skip_bids_validation=True))) == len(PLAIN)


@pytest.mark.parametrize(("content", "problem"), [("{", "valid JSON"), ("[]", "JSON object")])
def test_a_broken_description_stops(dataset: Dataset, content: str, problem: str) -> None:
    root = dataset(*PLAIN, empty=True)
    (root / "dataset_description.json").write_text(content, encoding="utf-8")
    with pytest.raises(InvalidBIDSError, match=problem):
        find_maps(root, InputConfig())


def test_a_raw_data_set_names_its_derivatives(dataset: Dataset) -> None:
    raw = dataset("sub-01/func/sub-01_task-a_bold.nii.gz", root="raw", empty=True)
    glm = dataset(*PLAIN, root="raw/derivatives/my-glm", empty=True)
    named = InputConfig(derivatives=(f"glm={glm}",))
    assert map_datasets(raw, named) == {"glm": glm.resolve()}
    assert {m.uri.split(":")[1] for m in find_maps(raw, named)} == {"glm"}
    plain = InputConfig(derivatives=(str(glm),))
    assert map_datasets(raw, plain) == {"myGlm": glm.resolve()}
    relative = InputConfig(derivatives=("derivatives/my-glm",))
    assert map_datasets(raw, relative) == {"myGlm": glm.resolve()}


def test_a_stored_index_is_used_until_the_data_set_changes(
    dataset: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = dataset(*PLAIN, empty=True)
    config = InputConfig(bids_database_dir=str(tmp_path / "db"))
    caplog.set_level(logging.INFO)
    assert find_maps(root, config) == find_maps(root, InputConfig())
    assert find_maps(root, config) == find_maps(root, InputConfig())
    assert "rebuilt" not in caplog.text
    (root / "sub-03").mkdir()
    (root / "sub-03" / "sub-03_task-pain_stat-z_statmap.nii.gz").touch()
    assert len(find_maps(root, config)) == len(PLAIN) + 1
    assert "has changed" in caplog.text


def test_a_damaged_index_is_rebuilt(dataset: Dataset, tmp_path: Path) -> None:
    root = dataset(*PLAIN, empty=True)
    config = InputConfig(bids_database_dir=str(tmp_path / "db"))
    find_maps(root, config)
    (stored,) = (tmp_path / "db").glob("*/layout_index.sqlite")
    stored.write_bytes(b"not a database")
    assert len(find_maps(root, config)) == len(PLAIN)


def test_the_fingerprint_knows_every_file_name(dataset: Dataset) -> None:
    root = dataset(*PLAIN, empty=True)
    before = fingerprint(root)
    (root / PLAIN[0]).rename(root / PLAIN[0].replace("stat-z", "stat-t"))
    assert fingerprint(root) != before


def test_what_nilearn_writes_is_found(tmp_path: Path) -> None:
    from nilearn.glm.first_level import FirstLevelModel
    from nilearn.interfaces.bids import save_glm_to_bids

    rng = np.random.default_rng(0)
    bold = nib.Nifti1Image(
        rng.normal(100, 1, (6, 6, 6, 20)).astype(np.float32), np.diag([4, 4, 4, 1])
    )
    mask = nib.Nifti1Image(np.ones((6, 6, 6), dtype=np.int8), np.diag([4, 4, 4, 1]))
    design = pd.DataFrame({"LF-RF": rng.normal(size=20), "constant": np.ones(20)})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nilearn's own, about the tiny model
        model = FirstLevelModel(mask_img=mask, minimize_memory=False, signal_scaling=False)
        model.fit(bold, design_matrices=design)
        save_glm_to_bids(
            model,
            contrasts={"LF-RF": np.array([1.0, 0.0])},
            out_dir=tmp_path / "glm",
            prefix="sub-01_task-motor",
        )
    maps = find_maps(tmp_path / "glm", InputConfig())
    assert {"z", "t", "effect"} <= {each.stat for each in maps}
    z = next(each for each in maps if each.stat == "z")
    assert (z.participant, z.task) == ("01", "motor")
    assert z.contrast
