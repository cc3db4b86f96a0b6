import logging
from collections.abc import Callable

import pytest

from fmridecode.bids.classes import plan_examples
from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.settings import InputConfig
from fmridecode.core.maps import MapClass
from fmridecode.errors import BadDataError, NothingMatchedError, UsageError

AMap = Callable[..., ContrastMap]
TASK = InputConfig(label_by="task")
CONTRAST = InputConfig(label_by="contrast")
BOTH = InputConfig(label_by="task+contrast")


def test_classes_are_sorted_by_name_and_know_their_task_and_contrast(a_map: AMap) -> None:
    maps = [a_map(task="social", contrast="friend"), a_map(task="pain", contrast="heat")]
    assert plan_examples(maps, TASK).classes == (
        MapClass(name="pain", task="pain", contrast="heat"),
        MapClass(name="social", task="social", contrast="friend"),
    )
    assert [c.name for c in plan_examples(maps, CONTRAST).classes] == ["friend", "heat"]
    assert [c.name for c in plan_examples(maps, BOTH).classes] == ["pain+heat", "social+friend"]


def test_a_class_has_no_task_where_its_maps_differ_in_it(a_map: AMap) -> None:
    maps = [a_map("01", task="a", contrast="go"), a_map("02", task="b", contrast="go")]
    maps += [a_map("01", task="a", contrast="stop")]
    go, stop = plan_examples(maps, CONTRAST).classes
    assert (go.task, stop.task) == ("", "a")


def test_runs_are_averaged_and_sessions_kept_apart(a_map: AMap) -> None:
    maps = [
        a_map(task=task, session=session, run=run)
        for task in ("a", "b")
        for session in ("1", "2")
        for run in ("1", "2")
    ]
    plan = plan_examples(maps, TASK)
    assert [(e.session, e.label, len(e.sources)) for e in plan.examples] == [
        ("1", 0, 2),
        ("1", 1, 2),
        ("2", 0, 2),
        ("2", 1, 2),
    ]


def test_directions_and_acquisitions_are_averaged(a_map: AMap) -> None:
    maps = [a_map(task=t, direction=d, acquisition=q) for t in "ab" for d in "xy" for q in "12"]
    assert [len(e.sources) for e in plan_examples(maps, TASK).examples] == [4, 4]


def test_contrasts_are_never_averaged_silently(a_map: AMap) -> None:
    maps = [a_map(task=t, contrast=c) for t in "ab" for c in ("go", "stop")]
    with pytest.raises(
        UsageError, match=r"differ in contrast.*--label-by contrast or task\+contrast"
    ):
        plan_examples(maps, TASK)


def test_tasks_are_never_averaged_silently(a_map: AMap) -> None:
    maps = [a_map(task=t, contrast=c) for t in "ab" for c in ("go", "stop")]
    with pytest.raises(UsageError, match=r"differ in task.*use --label-by task or task\+contrast"):
        plan_examples(maps, CONTRAST)


@pytest.mark.parametrize("entity", ["feature", "desc", "space"])
def test_other_entities_are_never_averaged_silently(a_map: AMap, entity: str) -> None:
    maps = [a_map(task="a", **{entity: "x"}), a_map(task="a", **{entity: "y"}), a_map(task="b")]
    with pytest.raises(UsageError, match=f"differ in {entity}.*--bids-filter-file"):
        plan_examples(maps, TASK)


def test_two_copies_of_a_map_are_refused(a_map: AMap) -> None:
    maps = [a_map(task="a"), a_map(task="a", extension=".nii"), a_map(task="b")]
    with pytest.raises(UsageError, match="have the same name but for the folder or extension"):
        plan_examples(maps, TASK)


def test_labels_match_whatever_their_case_and_punctuation(
    a_map: AMap, caplog: pytest.LogCaptureFixture
) -> None:
    maps = [a_map(s, contrast=c) for s, c in (("01", "lfRf"), ("02", "LFRF"), ("03", "lfRf"))]
    maps += [a_map(s, contrast="rest") for s in ("01", "02", "03")]
    caplog.set_level(logging.INFO)
    assert [c.name for c in plan_examples(maps, CONTRAST).classes] == ["lfRf", "rest"]
    assert "The labels LFRF, lfRf are one class, lfRf" in caplog.text


def test_the_first_statistic_that_everybody_has_is_chosen_and_logged(
    a_map: AMap, caplog: pytest.LogCaptureFixture
) -> None:
    maps = [a_map(s, task=t, stat=x) for s in ("01", "02") for t in "ab" for x in ("effect", "t")]
    maps.append(a_map("01", task="a", stat="z"))
    caplog.set_level(logging.INFO)
    plan = plan_examples(maps, TASK)
    assert plan.stat == "t"
    assert {s.stat for e in plan.examples for s in e.sources} == {"t"}
    assert len(plan.left_out) == 5
    assert "Statistic of the maps: t" in caplog.text


def test_maps_without_a_statistic_in_their_name_are_accepted(a_map: AMap) -> None:
    assert plan_examples([a_map(task="a"), a_map(task="b")], TASK).stat == ""


def test_a_statistic_asked_for_must_be_there(a_map: AMap) -> None:
    maps = [a_map(task=t, stat="effect") for t in "ab"]
    with pytest.raises(NothingMatchedError, match=r"--stat z matches no map.*effect \(2\)"):
        plan_examples(maps, InputConfig(stat="z"))
    assert plan_examples(maps, InputConfig(stat="Effect")).stat == "effect"


def test_no_common_statistic_is_an_error_that_names_the_choices(a_map: AMap) -> None:
    maps = [a_map("01", task="a", stat="z"), a_map("02", task="b", stat="t")]
    with pytest.raises(UsageError, match="--stat z or t"):
        plan_examples(maps, TASK)


def test_a_run_is_not_averaged_with_its_own_summary(a_map: AMap) -> None:
    maps = [a_map(task=t, run=r, node="runLevel") for t in "ab" for r in "12"]
    above = [a_map(task=t, node="subjectLevel") for t in "ab"]
    plan = plan_examples([*maps, *above], TASK)
    assert [s.node for e in plan.examples for s in e.sources] == ["subjectLevel"] * 2
    assert [len(e.sources) for e in plan_examples(maps, TASK).examples] == [2, 2]


def test_one_class_is_an_error_that_names_the_option_that_makes_more(a_map: AMap) -> None:
    maps = [a_map("01", task="a", contrast="go"), a_map("02", task="a", contrast="stop")]
    with pytest.raises(UsageError, match="--label-by contrast would make 2: go, stop"):
        plan_examples(maps, TASK)
    with pytest.raises(BadDataError, match="All maps are of one class, 'a'"):
        plan_examples([a_map("01", task="a"), a_map("02", task="a")], TASK)


def test_names_without_the_label_are_left_out_or_refused(a_map: AMap) -> None:
    maps = [a_map(contrast="go"), a_map(contrast="stop")]
    with pytest.raises(UsageError, match="use --label-by contrast"):
        plan_examples(maps, TASK)
    plan = plan_examples([*maps, a_map(task="rest")], CONTRAST)
    assert [reason for _, reason in plan.left_out] == ["its name does not say its contrast"]
