import json
import shutil
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from fmridecode.bids import derivatives
from fmridecode.bids.derivatives import (
    group_path,
    map_path,
    read_table,
    start_dataset,
    table_path,
    write_map,
    write_table,
)
from fmridecode.bids.names import bids_name
from fmridecode.bids.templates import Template
from fmridecode.errors import BadDataError, CannotCreateError, NoInputError, UsageError

VALIDATOR = shutil.which("bids-validator-deno", path=str(Path(sys.executable).parent))


def a_map(out: Path, template: Template, session: str = "1", **changed: str) -> Path:
    entities = {
        "participant": "01",
        "session": session,
        "task": "pain",
        "contrast": "heat",
        "description": "gradientToHeat",
    }
    return map_path(out, grid=template.grid, **{**entities, **changed})


def test_maps_are_named_as_bids_orders_entities(template: Template) -> None:
    name = (
        "sub-01_ses-1_task-pain_space-MNI152NLin2009cAsym_res-08_contrast-heat_desc-gradientToHeat"
    )
    expected = Path("out/sub-01/ses-1/func") / f"{name}_saliency.nii.gz"
    assert a_map(Path("out"), template) == expected
    without = a_map(Path("out"), template, session="", task="")
    assert without.parent == Path("out/sub-01/func")
    assert "_task-" not in without.name


def test_tables_are_named_by_participant_or_group() -> None:
    out = Path("out")
    path = table_path(out, "01", "desc-decoding_predictions")
    assert path == out / "sub-01/func/sub-01_desc-decoding_predictions.tsv"
    assert group_path(out, "desc-accuracy_metrics") == out / "group_desc-accuracy_metrics.tsv"


@pytest.mark.parametrize("label", ["../../etc/passwd", "/abs", "a\0b", "..\\..\\x", "a\nb", "é=1"])
def test_no_label_leads_out_of_the_folder(template: Template, label: str) -> None:
    path = a_map(Path("out"), template, task=label, contrast=label, description=label)
    assert path.parent == Path("out/sub-01/ses-1/func")
    assert set(path.name) <= set(
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."
    )
    for where in ({"participant": label}, {"session": label}):
        with pytest.raises(UsageError, match="letters and digits"):
            a_map(Path("out"), template, **where)


def test_unknown_entities_are_a_programming_error() -> None:
    with pytest.raises(ValueError, match="unknown entities"):
        bids_name("x", ".tsv", foo="1")


def test_a_map_is_float32_in_mni_millimetres_and_0_outside_the_mask(
    tmp_path: Path, template: Template
) -> None:
    values = np.random.default_rng(0).normal(size=template.grid.shape)
    values[3, 3, 3] = np.nan
    path = a_map(tmp_path, template)
    write_map(path, values, grid=template.grid, mask=template.mask, sidecar={"Sign": "signed"})
    image = nib.load(path)
    assert image.get_data_dtype() == np.float32
    assert image.header.get_xyzt_units()[0] == "mm"
    assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (4, 4)
    np.testing.assert_allclose(image.affine, template.grid.matrix)
    expected = np.where(template.mask & np.isfinite(values), values, 0).astype(np.float32)
    np.testing.assert_array_equal(np.asarray(image.dataobj), expected)
    said = json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text())
    assert said["Sign"] == "signed"
    assert said["SkullStripped"] is True
    assert {"SpatialReference", "Resolution", "SoftwareVersion"} <= set(said)


def test_equal_maps_are_equal_files(tmp_path: Path, template: Template) -> None:
    values = np.ones(template.grid.shape)
    paths = [tmp_path / "a.nii.gz", tmp_path / "b.nii.gz"]
    for path in paths:
        write_map(path, values, grid=template.grid, mask=template.mask, sidecar={})
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "participant_id": ["sub-01", "sub-02"],
            "label": ["01", "heat"],
            "session_id": [None, "ses-1"],
            "fold": [1, 2],
            "correct": [True, False],
            "r": [0.5, np.nan],
        }
    )
    path = tmp_path / "t.tsv"
    write_table(path, table, dict.fromkeys(table.columns, "What it is."))
    back = read_table(path)
    assert back["label"].tolist() == ["01", "heat"]
    assert back["correct"].tolist() == [True, False]
    assert back["correct"].dtype == bool
    assert back["fold"].tolist() == [1, 2]
    assert back["r"].isna().tolist() == [False, True]
    assert back["session_id"].isna().tolist() == [True, False]
    assert path.read_text().splitlines()[1] == "sub-01\t01\tn/a\t1\ttrue\t0.5"
    said = json.loads((tmp_path / "t.json").read_text())
    assert said["r"] == {"Description": "What it is.", "Format": "number"}


def test_cells_are_safe(tmp_path: Path) -> None:
    table = pd.DataFrame({"text": ['=HYPERLINK("x")', "a\tb\nc", '"quoted', "-1"]})
    write_table(tmp_path / "t.tsv", table, {"text": "Text."})
    lines = (tmp_path / "t.tsv").read_text().splitlines()
    assert lines[1:] == ['\'=HYPERLINK("x")', "a b c", '"quoted', "'-1"]
    assert read_table(tmp_path / "t.tsv")["text"].tolist() == [
        '=HYPERLINK("x")', "a b c", '"quoted', "-1",
    ]  # fmt: skip


def test_an_empty_table_has_its_header(tmp_path: Path) -> None:
    write_table(tmp_path / "t.tsv", pd.DataFrame(columns=["a", "b"]), {"a": "A.", "b": "B."})
    assert (tmp_path / "t.tsv").read_text() == "a\tb\n"
    assert read_table(tmp_path / "t.tsv").empty


def test_every_column_needs_a_description(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no description of the columns \['b'\]"):
        write_table(tmp_path / "t.tsv", pd.DataFrame({"a": [1], "b": [2]}), {"a": "A."})


def test_missing_and_damaged_tables_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match=r"t\.tsv cannot be read"):
        read_table(tmp_path / "t.tsv")
    write_table(tmp_path / "t.tsv", pd.DataFrame({"a": [1]}), {"a": "A."})
    for content in (b"a\nx\n", b"", b"\xff\xfe\x00", b"a\n1\t2\t3\n1\n"):
        (tmp_path / "t.tsv").write_bytes(content)
        with pytest.raises(BadDataError, match="is not the table that it should be"):
            read_table(tmp_path / "t.tsv")


def test_the_data_set_says_what_it_is_and_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FMRIDECODE_CONTAINER_TAG", "fmridecode:0.1")
    start_dataset(tmp_path / "out", {"glm": tmp_path / "in"})
    said = json.loads((tmp_path / "out" / "dataset_description.json").read_text())
    assert said["DatasetType"] == "derivative"
    assert said["DatasetLinks"] == {"glm": (tmp_path / "in").as_uri()}
    assert said["GeneratedBy"][0]["Name"] == "fmridecode"
    assert said["GeneratedBy"][0]["Container"] == {"Type": "docker", "Tag": "fmridecode:0.1"}
    before = (tmp_path / "out" / "README.md").stat().st_mtime_ns
    start_dataset(tmp_path / "out", {"glm": tmp_path / "in"})
    assert (tmp_path / "out" / "README.md").stat().st_mtime_ns == before


def test_neither_the_input_nor_another_pipelines_output_is_written_to(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="never written to"):
        start_dataset(tmp_path, {"input": tmp_path})
    (tmp_path / "dataset_description.json").write_text('{"Name": "x"}')
    with pytest.raises(CannotCreateError, match="fmridecode did not make"):
        start_dataset(tmp_path, {"input": tmp_path / "in"})


def test_bidsignore_is_precise() -> None:
    patterns = [line for line in derivatives.BIDSIGNORE.splitlines() if line[0] != "#"]
    assert not {"*", "**", "sub-*", "sub-*/**", "*.tsv", "*.json", "*.nii.gz"} & set(patterns)


@pytest.mark.skipif(VALIDATOR is None, reason="bids-validator-deno is not installed")
def test_the_validator_finds_no_error(tmp_path: Path, template: Template) -> None:
    out = tmp_path / "out"
    start_dataset(out, {"input": tmp_path / "in"})
    for session in ("", "1"):
        path = a_map(out, template, session=session)
        write_map(
            path, np.ones(template.grid.shape), grid=template.grid, mask=template.mask, sidecar={}
        )
    table = pd.DataFrame({"participant_id": ["sub-01"], "fold": [1]})
    words = {"participant_id": "Who.", "fold": "Which."}
    tables = ("desc-decoding_predictions", "desc-interpretability_scores")
    for path in (*(table_path(out, "01", t) for t in tables), group_path(out, "desc-x_metrics")):
        write_table(path, table, words)
    for name in (
        "group_space-MNI152NLin2009cAsym_desc-x_saliency.nii.gz",
        "group.html", "sub-01.html", "figures/a.svg", "logs/run.toml", "work/maps/a.npz",
        "models/default/fold-1/model.safetensors", "models/default/fold-1/config.json",
        "models/default/folds.tsv", "logs/sub-01_excluded.tsv",
    ):  # fmt: skip
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("x")
    assert VALIDATOR is not None
    done = subprocess.run(
        [VALIDATOR, "--format", "json", str(out)], capture_output=True, text=True, check=False
    )
    issues = json.loads(done.stdout)["issues"]["issues"]
    assert [each for each in issues if each["severity"] == "error"] == []
