"""TSV tables with their JSON data dictionaries."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fmridecode.bids.atomic import write_atomically
from fmridecode.errors import BadDataError, NoInputError

_BREAKS = re.compile(r"[\t\r\n\x00]+")
_FORMULA = ("=", "+", "-", "@")
_DIGITS = 6


def write_table(
    path: Path,
    table: pd.DataFrame,
    dictionary: Mapping[str, str],
    about: Mapping[str, Any] | None = None,
) -> None:
    """Write a TSV, and beside it a JSON that describes every column.

    Missing values are ``n/a``, floats have six significant digits, truth values are ``true`` and
    ``false``. Tabs and line breaks in text become spaces, and text that a spreadsheet would run
    as a formula gets a leading apostrophe.

    Parameters
    ----------
    dictionary
        What each column holds; more columns than the table has do no harm.
    about
        What the JSON says of the whole table, in CamelCase.

    Raises
    ------
    CannotCreateError, ReadWriteError
        A file cannot be written.
    """
    if undescribed := [name for name in table.columns if name not in dictionary]:
        raise ValueError(f"{path.name}: no description of the columns {undescribed}")
    lines = ["\t".join(_text(str(name)) for name in table.columns)]
    columns = [[_cell(value) for value in table[name]] for name in table.columns]
    lines += ["\t".join(row) for row in zip(*columns, strict=True)]
    said = {
        str(name): {"Description": dictionary[name], "Format": _format(table[name])}
        for name in table.columns
    }
    sidecar = json.dumps({**said, **(about or {})}, indent=2, ensure_ascii=False)
    write_atomically(path.with_suffix(".json"), (sidecar + "\n").encode())
    write_atomically(path, ("\n".join(lines) + "\n").encode())


def read_table(path: Path) -> pd.DataFrame:
    """Read a table that `write_table` wrote, with the types that its dictionary names.

    Columns that no dictionary describes, and those named ``*_id``, are text: ``01`` stays ``01``.

    Raises
    ------
    NoInputError
        The file cannot be read.
    BadDataError
        It is no such table.
    """
    try:
        table = parse_table(path.read_text(encoding="utf-8-sig"))
        formats = _formats(path.with_suffix(".json"))
        for name in table.columns:
            table[name] = _typed(table[name], formats.get(name, "string"))
    except OSError as error:
        raise NoInputError(f"{path} cannot be read ({error.strerror or error}).") from error
    except (ValueError, KeyError) as error:
        what = " ".join(str(error).split())
        raise BadDataError(
            f"{path} is not the table that it should be ({what}); delete it and run the step "
            "that makes it again."
        ) from error
    return table


def parse_table(text: str) -> pd.DataFrame:
    """Return a TSV as text, ``n/a`` as None.

    Raises
    ------
    ValueError
        It has no header, or a line has more or fewer cells than the header.
    """
    header, *rows = [line.rstrip("\r").split("\t") for line in text.rstrip("\n").split("\n")]
    if "" in header or len(set(header)) < len(header):
        raise ValueError(f"its header is {header}")
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise ValueError(f"line {number} has {len(row)} cells, the header {len(header)}")
    cells = [[None if cell == "n/a" else cell for cell in row] for row in rows]
    return pd.DataFrame(cells, columns=header, dtype=object)


def _formats(path: Path) -> dict[str, str]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    columns = {name: each for name, each in said.items() if isinstance(each, dict)}
    return {name: str(each["Format"]) for name, each in columns.items() if "Format" in each}


def _typed(column: "pd.Series[Any]", form: str) -> "pd.Series[Any]":
    if form == "bool":
        if bad := set(column.dropna()) - {"true", "false"}:
            raise ValueError(f"{column.name}: {sorted(bad)[0]!r} is neither true nor false")
        return column.map({"true": True, "false": False})
    if form in ("integer", "number"):
        return pd.to_numeric(column)
    return column.map(_as_written, na_action="ignore")


def _as_written(text: str) -> str:
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _format(column: "pd.Series[Any]") -> str:
    if pd.api.types.is_bool_dtype(column):
        return "bool"
    if pd.api.types.is_integer_dtype(column):
        return "integer"
    return "number" if pd.api.types.is_float_dtype(column) else "string"


def _cell(value: Any) -> str:
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return "n/a"
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating):
        return f"{value:.{_DIGITS}g}"
    return _text(value) if isinstance(value, str) else str(value)


def _text(text: str) -> str:
    text = _BREAKS.sub(" ", text).strip()
    if not text:
        return "n/a"
    return f"'{text}" if text.startswith(_FORMULA) else text
