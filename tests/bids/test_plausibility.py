import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from fmridecode.bids.classes import plan_examples
from fmridecode.bids.maps import PreparedMaps, prepare
from fmridecode.bids.oddities import find_oddities
from fmridecode.bids.plausibility import SIDES, Judged, Quality, find_outliers
from fmridecode.bids.query import find_maps
from fmridecode.bids.settings import InputConfig, SpaceConfig
from fmridecode.bids.templates import Template, target_grid
from fmridecode.errors import BadDataError
from fmridecode.pipeline.preparing.plausibility import known_maps, write_plausibility

from .conftest import AFFINE, SHAPE, SPACE

GOOD = Quality(
    coverage=0.95, outside=0.05, cut=(0.0,) * 6, sd=1.0, zeros=0.7, negative=0.5, odd=()
)
NAMES = [
    f"sub-{s:02d}/sub-{s:02d}_task-{t}_space-{SPACE}_statmap.nii.gz"
    for s in range(1, 7)
    for t in "ab"
]


def judged(quality: Quality, n: int = 1) -> Judged:
    who = f"{n:02d}"
    return Judged(participant=who, session="", label="a", source=f"bids:x:{who}", quality=quality)


def reasons(quality: Quality, others: int = 0) -> tuple[str, ...]:
    many = [judged(GOOD, n) for n in range(2, 2 + others)]
    return find_outliers([judged(quality), *many])[0].reasons


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"coverage": 0.6}, "it has data in 60% of the brain mask"),
        ({"cut": (0.0, 0, 0, 0, 32, 0)}, "the field of view is cut by 32 mm, inferior"),
        ({"outside": 0.5}, "50% of its data lie outside the brain mask"),
        ({"odd": ("sform and qform disagree about left and right",)}, "sform and qform disagree"),
    ],
)
def test_what_is_out_of_line_is_said(changed: dict[str, Any], reason: str) -> None:
    assert reasons(GOOD) == ()
    for others in (0, 6):
        (found,) = reasons(replace(GOOD, **changed), others)
        assert reason in found


def test_the_sd_is_held_against_the_class() -> None:
    loud = replace(GOOD, sd=8.0)
    assert reasons(loud) == ()  # nothing to hold it against
    assert reasons(loud, others=6) == ("its SD is 8, the median of its class 1",)
    assert reasons(replace(GOOD, sd=0.1), others=6)


def test_what_all_maps_share_is_no_outlier() -> None:
    short = replace(GOOD, coverage=0.7, cut=(0.0, 0, 0, 0, 30, 0))
    found = find_outliers([judged(short, n) for n in range(6)])
    assert [each.reasons for each in found] == [()] * 6


def test_a_field_of_view_that_small_studies_share_is_no_outlier() -> None:
    short = replace(GOOD, coverage=0.89, cut=(0.0, 0, 8, 0, 24, 0))
    assert reasons(short) == ()
    classes = [replace(judged(short, n), label="ab"[n % 2]) for n in range(8)]
    assert {each.reasons for each in find_outliers(classes)} == {()}
    odd = replace(judged(replace(short, cut=(0.0, 0, 8, 0, 40, 0), sd=9.0), 8), label="c")
    (found,) = find_outliers([*classes, odd])[-1].reasons  # the SD has nothing to be held against
    assert found == "the field of view is cut by 40 mm, inferior"
    assert reasons(short, others=6) == ("the field of view is cut by 24 mm, inferior",)


def test_a_map_that_fills_the_grid_may_lie_outside_the_brain() -> None:
    assert reasons(replace(GOOD, outside=0.7, zeros=0.0)) == ()


@pytest.fixture
def root(dataset: Callable[..., Path], write_image: Callable[..., Path]) -> Path:
    """Write maps of which one, of sub-03, lacks the lower half, stored right to left."""
    root = dataset(*NAMES)
    data = np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)
    data[:, :, :5] = 0
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = SHAPE[0] - 1
    write_image(root / NAMES[4], data[::-1], AFFINE @ flip)
    return root


def prepared(root: Path, template: Template, **inputs: Any) -> PreparedMaps:
    config = InputConfig(**inputs)
    return prepare(
        plan_examples(find_maps(root, config), config),
        template,
        inputs=config,
        space=SpaceConfig(resolution=8),
        work_dir=root.parent / "work",
    )


def test_a_cut_field_of_view_is_measured_and_reported_with_and_without_a_cache(
    root: Path, template: Template, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    first, second = (prepared(root, template) for _ in range(2))
    assert first.judged == second.judged
    (odd,) = [each for each in first.judged if each.reasons]
    assert odd.source.endswith(NAMES[4])
    assert dict(zip(SIDES, odd.quality.cut, strict=True))["inferior"] == 32
    assert odd.quality.coverage == 0.5
    assert f"{NAMES[4]} is out of line: it has data in 50%" in caplog.text
    assert len(first.maps.examples) == 12  # used nevertheless


def test_outliers_are_excluded_on_request_only(root: Path, template: Template) -> None:
    made = prepared(root, template, exclude_outliers=True)
    assert [each.participant for each in made.excluded] == ["03"]
    assert "--exclude-outliers" in made.excluded[0].message
    assert made.failures == ()
    assert "03" not in made.maps.participants
    assert len(made.judged) == 12


def test_nobody_left_is_an_error(root: Path, template: Template) -> None:
    with pytest.raises(BadDataError, match="None of the 1 participants can be used"):
        prepared(root, template, exclude_outliers=True, participant_label=("03",))


def test_the_table_has_a_row_a_map_and_keeps_those_of_other_jobs(
    root: Path, template: Template, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    everything = prepared(root, template).judged
    write_plausibility(out, everything, everyone=True)
    said = json.loads((out / "logs/plausibility.json").read_text())
    lines = (out / "logs/plausibility.tsv").read_text().splitlines()
    assert lines[0].split("\t") == list(said)
    assert len(lines) == 13
    assert sum("\ttrue\t" in line for line in lines) == 1
    first = [each for each in everything if each.participant == "01"]
    write_plausibility(out, first, everyone=False)
    assert len(known_maps(out)) == 12
    assert (out / "logs/plausibility.tsv").read_text().splitlines() == lines
    write_plausibility(out, first, everyone=True)
    assert len(known_maps(out)) == 2


def test_a_damaged_table_is_made_again(root: Path, template: Template, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/plausibility.tsv").write_text("a\tb\n1\n")
    assert known_maps(tmp_path) == []
    write_plausibility(tmp_path, prepared(root, template).judged, everyone=False)
    assert len(known_maps(tmp_path)) == 12


def image(sform: np.ndarray = AFFINE, qform: np.ndarray | None = None) -> Any:
    made = nib.Nifti1Image(np.zeros(SHAPE, dtype=np.float32), sform)
    made.set_sform(sform, code=4)
    made.set_qform(sform if qform is None else qform, code=1)
    return made


def test_a_sound_header_is_not_odd() -> None:
    assert find_oddities(image(), SHAPE) == ()
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = SHAPE[0] - 1
    assert find_oddities(image(AFFINE @ flip), SHAPE) == ()


def test_left_and_right_the_origin_and_the_voxel_size_are_looked_at() -> None:
    mirrored = np.diag([-1.0, 1, 1, 1]) @ AFFINE
    assert find_oddities(image(AFFINE, mirrored), SHAPE) == (
        "sform and qform disagree about left and right",
    )
    moved = AFFINE.copy()
    moved[0, 3] += 12
    assert find_oddities(image(AFFINE, moved), SHAPE) == ("sform and qform are up to 12 mm apart",)
    lost = np.diag([2.0, 2, 2, 1])
    assert find_oddities(image(lost), SHAPE) == (
        "the origin (0, 0, 0 mm) is not inside the image",
    )
    coarse = np.diag([20.0, 20, 20, 1])
    coarse[:3, 3] = -40
    assert find_oddities(image(coarse), SHAPE) == ("its voxels measure 20 x 20 x 20 mm",)


@pytest.mark.realdata
@pytest.mark.parametrize("who", [("01",), ("01", "05")])
def test_of_real_maps_none_is_out_of_line(
    realdata: Path, tmp_path: Path, who: tuple[str, ...]
) -> None:
    config = InputConfig(label_by="contrast", participant_label=who)
    made = prepare(
        plan_examples(find_maps(realdata / "woo2014", config), config),
        target_grid(SpaceConfig(resolution=8)),
        inputs=config,
        space=SpaceConfig(resolution=8, input_space=SPACE),
        work_dir=tmp_path,
    )
    assert [each.reasons for each in made.judged] == [()] * 4 * len(who)
