"""The paper's Figure 3 on the pages."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from fmridecode.errors import BadDataError
from fmridecode.report.blocks import Gallery, Missing
from fmridecode.report.derivatives import Derivatives, Participant
from fmridecode.report.group import panels
from fmridecode.report.panel import find_panels
from fmridecode.report.participant import panels as own_panels

HOSTILE = "<script>alert(1)</script>"


def store(
    root: Path,
    who: str,
    *,
    cia: float,
    typical: bool = False,
    n_volumes: int = 4,
    label: str = "heat",
) -> Path:
    path = root / who / "func" / f"{who}_contrast-{label}_desc-saliency_panel.nii.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.zeros((12, 14, 12, n_volumes), dtype=np.float32)
    values[4:8, 4:8, 4:8] = np.random.default_rng(0).standard_normal((4, 4, 4, n_volumes))
    affine = np.array([[16.0, 0, 0, -96], [0, 16, 0, -132], [0, 0, 16, -78], [0, 0, 0, 1]])
    nib.Nifti1Image(values, affine).to_filename(path)
    saliency = {"Kind": "saliency", "SaliencyMethod": "gradient"}
    volumes = [
        {**saliency, "TargetClass": label, "PearsonR": cia},
        {**saliency, "TargetClass": HOSTILE, "PearsonR": None},
        {"Kind": "activation", "TargetClass": label},
        {"Kind": "difference", "TargetClass": HOSTILE},
    ]
    said = {"TrueClass": label, "Typical": typical, "Volumes": volumes}
    path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps(said))
    return path


def caption(root: Path) -> str:
    block = panels.build(Derivatives(root=root))[1]
    assert isinstance(block, Gallery)
    return block.pictures[0].caption


def test_the_participant_who_is_marked_typical_is_shown(tmp_path: Path) -> None:
    store(tmp_path, "sub-01", cia=0.1)
    store(tmp_path, "sub-02", cia=0.3, typical=True)
    assert (
        caption(tmp_path)
        == "sub-02, heat: CIA by Gradient, 0.30, is the median over participants."
    )


def test_where_none_is_marked_the_median_of_those_there_are_is_shown(tmp_path: Path) -> None:
    for number, cia in enumerate((0.5, 0.1, 0.2, float("nan")), start=1):
        store(tmp_path, f"sub-{number:02d}", cia=cia)
    assert caption(tmp_path) == "sub-03, heat: CIA by Gradient, 0.20, is the median of 4 panels."


def test_a_panel_has_a_brain_for_each_class_and_method_and_its_words(tmp_path: Path) -> None:
    store(tmp_path, "sub-01", cia=0.123)
    subject = Participant(derivatives=Derivatives(root=tmp_path), label="01")
    block = own_panels.build(subject)[1]
    assert isinstance(block, Gallery)
    markup = str(block.pictures[0].markup)
    assert markup.count("<image ") == 4
    assert HOSTILE not in markup
    for words in (
        "r = 0.12",
        "r = –",
        "heat − mean",
        "&lt;script&gt;alert(1)&lt;/script&gt; − heat",
    ):
        assert words in markup
    assert "Gradient, heat: r = 0.12." in markup
    assert (tmp_path / block.pictures[0].file.href).is_file()


def test_without_panels_the_page_says_how_to_get_them(tmp_path: Path) -> None:
    (tmp_path / "sub-01").mkdir()
    subject = Participant(derivatives=Derivatives(root=tmp_path), label="01")
    (own,) = own_panels.build(subject)
    (group,) = panels.build(subject.derivatives)
    assert isinstance(own, Missing)
    assert isinstance(group, Missing)
    assert "--panels all --participant-label 01" in own.remedy


def test_a_panel_with_other_volumes_than_its_sidecar_names_is_refused(tmp_path: Path) -> None:
    store(tmp_path, "sub-01", cia=0.1, n_volumes=3)
    with pytest.raises(BadDataError, match="has 3 volumes, its sidecar names 4"):
        panels.build(Derivatives(root=tmp_path))


def test_a_sidecar_that_does_not_describe_its_volumes_is_refused(tmp_path: Path) -> None:
    path = store(tmp_path, "sub-01", cia=0.1)
    path.with_name(path.name.replace(".nii.gz", ".json")).write_text('{"Volumes": [{}]}')
    with pytest.raises(BadDataError, match="does not describe its volumes"):
        find_panels(tmp_path)
