from collections.abc import Callable
from pathlib import Path

import pytest

from fmridecode.bids.class_file import read_classes
from fmridecode.bids.classes import plan_examples
from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.plan import Plan
from fmridecode.bids.settings import InputConfig
from fmridecode.errors import NoInputError, NothingMatchedError, UsageError

AMap = Callable[..., ContrastMap]
MEAN = """
[win]
maps = [{ task = "GAMBLING", contrast = "Reward" }, { contrast = "punish", weight = 3 }]
ready = { task = "gambling", contrast = "mean" }
[motor]
task = "motor"
contrast = ["LF-RF", "lfMinusRf"]
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], InputConfig]:
    def write(text: str) -> InputConfig:
        path = tmp_path / "classes.toml"
        path.write_text(text, encoding="utf-8")
        return InputConfig(classes=str(path))

    return write


def maps(a_map: AMap, *more: ContrastMap) -> list[ContrastMap]:
    named = [("gambling", "REWARD"), ("gambling", "punish"), ("motor", "lfMinusRf")]
    return [a_map(who, task=t, contrast=c) for who in ("01", "02") for t, c in named] + [*more]


def used(plan: Plan) -> list[tuple[str, int, tuple[str, ...], tuple[float, ...]]]:
    return [
        (e.participant, e.label, tuple(s.contrast for s in e.sources), e.weights)
        for e in plan.examples
    ]


def test_a_class_is_a_contrast_or_a_weighted_mean_of_several(
    a_map: AMap, written: Callable[[str], InputConfig]
) -> None:
    plan = plan_examples(maps(a_map), written(MEAN))
    assert [c.name for c in plan.classes] == ["motor", "win"]
    assert [(c.task, c.contrast) for c in plan.classes] == [
        ("motor", "lfMinusRf"), ("gambling", "win"),
    ]  # fmt: skip
    assert used(plan)[:2] == [
        ("01", 0, ("lfMinusRf",), ()),
        ("01", 1, ("REWARD", "punish"), (0.25, 0.75)),
    ]


def test_runs_share_the_weight_of_their_part(
    a_map: AMap, written: Callable[[str], InputConfig]
) -> None:
    runs = [a_map("01", task="gambling", contrast="punish", run=r) for r in "12"]
    plan = plan_examples([*maps(a_map)[:1], *maps(a_map)[2:], *runs], written(MEAN))
    assert used(plan)[1] == ("01", 1, ("REWARD", "punish", "punish"), (0.25, 0.375, 0.375))


def test_a_negative_weight_makes_a_difference(
    a_map: AMap, written: Callable[[str], InputConfig]
) -> None:
    plan = plan_examples(maps(a_map), written(MEAN.replace("weight = 3", "weight = -1")))
    assert used(plan)[1][3] == (0.5, -0.5)


def test_maps_that_are_the_mean_already_are_used_instead(
    a_map: AMap, written: Callable[[str], InputConfig]
) -> None:
    ready = [a_map(who, task="gambling", contrast="Mean") for who in ("01", "02")]
    plan = plan_examples(maps(a_map, *ready), written(MEAN))
    assert used(plan)[1] == ("01", 1, ("Mean",), ())
    assert {reason for _, reason in plan.left_out} == {
        f"no class of --classes {written(MEAN).classes} uses it"
    }


def test_an_example_needs_all_its_parts(
    a_map: AMap, written: Callable[[str], InputConfig]
) -> None:
    plan = plan_examples(maps(a_map)[:4] + maps(a_map)[5:], written(MEAN))
    assert [(who, label) for who, label, _, _ in used(plan)] == [("01", 0), ("01", 1), ("02", 0)]
    assert [reason for _, reason in plan.left_out] == ["the class win also needs punish"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (MEAN.replace("Reward", "Rewrad"), r"no map of GAMBLING Rewrad.*did you mean gambling R"),
        (MEAN.replace('"motor"', '"motr"'), r"no map of motr LF-RF.*did you mean motor lfMinusRf"),
    ],
)
def test_a_class_without_maps_names_the_nearest(
    a_map: AMap, written: Callable[[str], InputConfig], text: str, words: str
) -> None:
    with pytest.raises(NothingMatchedError, match=words):
        plan_examples(maps(a_map), written(text))


def test_a_class_that_nobody_has_whole_is_refused(
    a_map: AMap, written: Callable[[str], InputConfig]
) -> None:
    there = [m for m in maps(a_map) if (m.participant, m.contrast) not in
             {("01", "punish"), ("02", "REWARD")}]  # fmt: skip
    with pytest.raises(NothingMatchedError, match="no participant has all maps of win"):
        plan_examples(there, written(MEAN))


def test_contrasts_are_never_averaged_unasked(
    a_map: AMap, written: Callable[[str], InputConfig]
) -> None:
    text = '[a]\ntask = "gambling"\n[b]\ntask = "motor"\n'
    with pytest.raises(UsageError, match=r"differ in contrast\) and --classes would average them"):
        plan_examples(maps(a_map), written(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[a", "is not valid TOML"),
        ("a = 1\nb = 2", "class 'a' is 1; write a table"),
        ("", "defines 0 classes"),
        ('[a]\ntask = "x"', "defines 1 classes"),
        ('[a]\ntsk = "x"\n[b]\ntask = "y"', "has tsk; did you mean task"),
        ('[a]\ntask = ""\n[b]\ntask = "y"', "task '' and contrast"),
        ('[a]\ntask = 3\n[b]\ntask = "y"', "task 3 and contrast"),
        ('[a]\ncontrast = [1]\n[b]\ntask = "y"', r"contrast \[1\]"),
        ("[a]\nmaps = []\n", "maps is \\[\\]"),
        ('[a]\nmaps = ["x"]\n', "has the map 'x'"),
        ('[a]\ntask = "x"\nmaps = [{task = "y"}]\n', "both maps and task"),
        ('[a]\nmaps = [{task = "y", weight = 0}]\n', "weight 0; write a number other than 0"),
        ('[a]\nmaps = [{task = "y", weight = nan}]\n', "weight nan"),
        ('[a]\nmaps = [{task = "y", weight = "1"}]\n', "weight '1'"),
        ('["../.."]\ntask = "x"\n[b]\ntask = "y"', "no letter or digit in its name"),
        ('["a>b"]\ntask = "x"\n[b]\ntask = "y"', "has < or > or a control character"),
        ('["a-b"]\ntask = "x"\n[aB]\ntask = "y"', "differ by case or punctuation only"),
    ],
)
def test_a_bad_class_file_is_one_line(
    written: Callable[[str], InputConfig], text: str, words: str
) -> None:
    with pytest.raises(UsageError, match=words) as raised:
        read_classes(written(text).classes)
    assert "\n" not in str(raised.value)


def test_two_classes_of_the_same_maps_are_refused(
    a_map: AMap, written: Callable[[str], InputConfig]
) -> None:
    text = '[a]\ntask = "motor"\n[b]\ntask = "motor"\ncontrast = "lf_minus_rf"\n'
    with pytest.raises(UsageError, match="classes a and b are both of task 'motor'"):
        plan_examples(maps(a_map), written(text))


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match=r"gone\.toml cannot be read"):
        read_classes(str(tmp_path / "gone.toml"))
    with pytest.raises(UsageError, match=r"neither a file nor a shipped set.*did you mean hcp7"):
        read_classes("hcp")
    with pytest.raises(NoInputError, match="cannot be read"):
        read_classes(str(tmp_path))
    (tmp_path / "classes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is not valid TOML"):
        read_classes(str(tmp_path / "classes.toml"))


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "classes.toml"
    path.write_bytes(b"\xef\xbb\xbf" + MEAN.replace("\n", "\r\n").encode())
    assert len(read_classes(str(path))) == 2
