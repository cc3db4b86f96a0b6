import pytest

from fmridecode.cli.arguments import rewrite
from fmridecode.cli.main import LEVELS

FLAGS = {"--participant-label", "--folds", "--label-by"}


def rewritten(line: str) -> list[str]:
    return rewrite(
        line.split(), flags=FLAGS, repeated={"--participant-label", "-d"}, levels=LEVELS
    )


def test_each_value_becomes_an_option_of_its_own() -> None:
    expected = rewritten("in out train --participant-label 01 --participant-label 02 --folds 3")
    assert expected[3:5] == ["--participant-label", "01"]
    assert rewritten("in out train --participant-label 01 02 --folds 3") == expected


@pytest.mark.parametrize("spelled", ["--participant_label", "--participant-label"])
def test_underscores_and_hyphens_are_the_same(spelled: str) -> None:
    assert rewritten(f"in out group {spelled} 01")[3] == "--participant-label"
    assert rewritten("in out group --label_by=task")[3] == "--label-by=task"


def test_values_keep_their_underscores() -> None:
    assert rewritten("in out group --participant_label a_b")[4] == "a_b"


def test_positional_arguments_after_a_list_are_not_swallowed() -> None:
    labels = ["--participant-label", "01", "--participant-label", "02"]
    expected = [*labels, "in", "out", "participant"]
    assert rewritten("--participant-label 01 02 in out participant") == expected


def test_short_options_take_several_values_too() -> None:
    assert rewritten("in out train -d a=b c=d")[3:] == ["-d", "a=b", "-d", "c=d"]


def test_a_list_without_values_is_left_for_the_parser_to_refuse() -> None:
    assert rewritten("in out train --participant-label")[-1] == "--participant-label"
