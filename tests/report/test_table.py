from collections.abc import Callable
from pathlib import Path

import pytest

from fmridecode.errors import BadDataError
from fmridecode.report.table import read_json, read_table

Write = Callable[[str, str], Path]


def test_a_missing_table_is_none_and_not_an_error(tmp_path: Path) -> None:
    assert read_table(tmp_path / "group_desc-nothing.tsv") is None


def test_labels_stay_text_and_na_is_missing(write: Write) -> None:
    path = write("a.tsv", "participant_id\ttrue_label\taccuracy\n01\tNA\tn/a\n02\t7\t0.5\n")
    table = read_table(path)
    assert table is not None
    assert list(table.frame["participant_id"]) == ["01", "02"]
    assert list(table.frame["true_label"]) == ["NA", "7"]
    assert table.frame["accuracy"].isna().tolist() == [True, False]


def test_descriptions_come_from_the_dictionary_beside_the_table(write: Write) -> None:
    path = write("a.tsv", "x\ty\n1\t2\n")
    write("a.json", '{"x": {"Description": "An x."}, "y": "no entry"}')
    table = read_table(path)
    assert table is not None
    assert table.descriptions == {"x": "An x."}


def test_a_table_without_a_needed_column_is_an_error_that_names_it(write: Write) -> None:
    with pytest.raises(BadDataError, match=r"a\.tsv lacks the column y \(it has x\)"):
        read_table(write("a.tsv", "x\n1\n"), columns=("x", "y"))


def test_an_empty_file_is_an_error_and_a_lone_header_is_not(write: Write) -> None:
    with pytest.raises(BadDataError, match="cannot be read as a TSV"):
        read_table(write("empty.tsv", ""))
    table = read_table(write("header.tsv", "participant_id\treason\n"))
    assert table is not None
    assert table.frame.empty


@pytest.mark.parametrize("text", ["{", "[1]"])
def test_json_that_is_no_object_is_an_error(write: Write, text: str) -> None:
    with pytest.raises(BadDataError, match=r"a\.json"):
        read_json(write("a.json", text))
