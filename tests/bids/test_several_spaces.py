import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from fmridecode.bids.classes import plan_examples
from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.query import Found
from fmridecode.bids.settings import InputConfig, SpaceConfig
from fmridecode.bids.several_spaces import prefer_target
from fmridecode.cli.main import main
from fmridecode.errors import UsageError

from .conftest import SPACE

AMap = Callable[..., ContrastMap]
OTHER = "MNI152NLin6Asym"
REASON = f"the same map is there in {SPACE}"


def chosen(*maps: ContrastMap, **config: object) -> Found:
    return prefer_target(Found(maps=maps, left_out=()), SpaceConfig(**config))


def test_the_copy_in_the_target_space_is_used_and_the_others_are_listed(
    a_map: AMap, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    maps = [
        a_map(task=task, run="1", space=space, resolution=res)
        for task in "ab"
        for space, res in (("T1w", ""), (OTHER, "2"), (SPACE.upper(), "native"))
    ]
    found = chosen(*maps)
    assert {(each.task, each.space) for each in found.maps} == {
        ("a", SPACE.upper()), ("b", SPACE.upper()),
    }  # fmt: skip
    assert [reason for _, reason in found.left_out] == [REASON] * 4
    assert f"4 maps in {OTHER}, T1w are left out" in caplog.text
    assert len(plan_examples(found.maps, InputConfig()).examples) == 2


def test_a_map_that_is_in_another_space_only_is_kept(a_map: AMap) -> None:
    maps = (
        a_map(task="a", space=SPACE),
        a_map(task="a", space=OTHER, run="2"),
        a_map(task="a", space=OTHER, stat="z"),
        a_map(task="a", space=OTHER, feature="x"),
        a_map("02", task="a", space=OTHER),
    )
    assert chosen(*maps) == Found(maps=maps, left_out=())


def test_maps_whose_names_have_no_space_are_in_the_input_space(a_map: AMap) -> None:
    unsaid, said = a_map(task="a"), a_map(task="a", space=SPACE)
    assert chosen(unsaid, said).maps == (said,)
    other = a_map(task="a", space=OTHER)
    assert chosen(unsaid, other, input_space=SPACE).maps == (unsaid,)
    assert chosen(unsaid, said, input_space=SPACE).maps == (unsaid, said)  # refused later


def test_copies_in_other_spaces_only_are_refused_with_the_remedy(a_map: AMap) -> None:
    maps = [a_map(task=task, space=space) for task in "ab" for space in (OTHER, "T1w")]
    with pytest.raises(UsageError, match=r"differ in space.*wanted space with --space, or choose"):
        plan_examples(chosen(*maps).maps, InputConfig())
    found = chosen(*maps, space=OTHER)
    assert {each.space for each in found.maps} == {OTHER}


def test_a_dry_run_lists_the_copies_with_the_reason(
    dataset: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    names = [
        f"sub-{who}/sub-{who}_task-{task}_space-{space}_statmap.nii.gz"
        for who in ("01", "02")
        for task in "ab"
        for space in (SPACE, OTHER)
    ]
    line = [str(dataset(*names, empty=True)), str(tmp_path / "out"), "train", "--dry-run"]
    assert main(line) == 0
    said = capsys.readouterr().out
    assert said.startswith("4 maps would make 4 examples")
    assert f"  {REASON} (4):\n    bids:input:{names[1]}" in said
