import json
from pathlib import Path
from typing import Any

import pytest

from fmridecode.bids.participants import has_column, read_column, read_numbers
from fmridecode.errors import BadDataError, NoInputError, UsageError

TABLE = (
    "participant_id\tage\tsex\tsame\n"
    "sub-01\t25\tF\t3\n"
    "sub-02\t 31.5\tM\t3\n"
    "sub-03\tn/a\tF\t3\n"
    "sub-04\t89+\tM\tn/a\n"
    "sub-05\tnan\tM\t3\n"
)
EVERYONE = ("01", "02", "03", "04", "05", "06")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "participants.tsv").write_text(TABLE)
    return tmp_path


def numbers(root: Path, column: str = "age", **more: Any) -> Any:
    wanted = {"participants": EVERYONE, "option": "--target-column", "needed": True, **more}
    return read_numbers([root], column, **wanted)


def test_numbers_are_read_and_everyone_without_one_has_a_reason(data: Path) -> None:
    found = numbers(data)
    assert found.numbers == {"01": 25.0, "02": 31.5}
    assert {who: why.replace(str(data), "") for who, why in found.lacking.items()} == {
        "03": "its age is n/a in /participants.tsv",
        "04": "its age is '89+' in /participants.tsv, which is no number",
        "05": "its age is 'nan' in /participants.tsv, which is no number",
        "06": "/participants.tsv has no row of it",
    }


def test_the_unit_is_that_of_the_data_dictionary(data: Path) -> None:
    assert numbers(data).unit == ""
    (data / "participants.json").write_text(json.dumps({"age": {"Units": "years"}}))
    assert numbers(data).unit == "years"
    (data / "participants.json").write_text("{broken")
    assert numbers(data).unit == ""


@pytest.mark.parametrize(
    ("column", "error", "words"),
    [
        ("ages", UsageError, "has no column 'ages'; did you mean age"),
        ("sex", BadDataError, "has no number for any of the 6 participants with maps"),
        ("same", BadDataError, "is 3 for all 4 participants with maps"),
    ],
)
def test_a_column_that_cannot_be_decoded_is_one_line(
    data: Path, column: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words) as raised:
        numbers(data, column)
    assert "\n" not in str(raised.value)


def test_a_decoder_that_is_trained_already_needs_no_numbers(data: Path) -> None:
    assert numbers(data, "sex", needed=False).numbers == {}
    assert len(numbers(data, "same", needed=False).numbers) == 4


def test_without_a_table_the_option_is_named(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="leave out --target-column"):
        numbers(tmp_path)
    with pytest.raises(NoInputError, match="leave out --group-column"):
        read_column([tmp_path], "family", option="--group-column")


def test_the_first_table_that_has_the_column_is_read(data: Path, tmp_path: Path) -> None:
    derivative = tmp_path / "derivative"
    derivative.mkdir()
    (derivative / "participants.tsv").write_text("participant_id\nsub-01\n")
    found = read_numbers(
        [derivative, data], "age", participants=EVERYONE, option="--x", needed=True
    )
    assert found.path == data / "participants.tsv"
    assert has_column([derivative, data], "age")
    assert not has_column([derivative], "age")
