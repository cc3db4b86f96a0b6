"""What ``participants.tsv`` says of each participant."""

import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fmridecode.bids.labels import listing, nearest, without_prefix
from fmridecode.bids.tables import parse_table
from fmridecode.errors import BadDataError, NoInputError, UsageError

PARTICIPANTS = "participants.tsv"
_MISSING = ("", "n/a", "N/A")


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberColumn:
    """A column of numbers.

    Parameters
    ----------
    name, unit
        Of the column; the unit is that of ``participants.json``, empty where it says none.
    path
        The table.
    numbers
        By participant label.
    lacking
        Why a participant has none, in words.
    """

    name: str
    unit: str
    path: Path
    numbers: Mapping[str, float]
    lacking: Mapping[str, str]


def read_column(folders: Iterable[Path], column: str, *, option: str) -> dict[str, str]:
    """Return a column of ``participants.tsv``, by participant label.

    Parameters
    ----------
    folders
        Roots of data sets, the first choice first; the first table that has the column is read.
    column
        Name of the column; rows that are empty or ``n/a`` are left out.
    option
        What asks for it.

    Raises
    ------
    NoInputError
        No folder has the file.
    UsageError
        No file has such a column.
    BadDataError
        A file cannot be read, or names a participant twice with different values.
    """
    _, values = _column(folders, column, option)
    return {who: value for who, value in values.items() if value not in _MISSING}


def read_numbers(
    folders: Iterable[Path],
    column: str,
    *,
    participants: Collection[str],
    option: str,
    needed: bool,
) -> NumberColumn:
    """Return a column of numbers, and who lacks one.

    Parameters
    ----------
    folders, column, option
        As of `read_column`.
    participants
        Whose numbers are wanted.
    needed
        Whether there is nothing to be done without numbers that differ.

    Raises
    ------
    NoInputError, UsageError
        As `read_column`.
    BadDataError
        As `read_column`; or none of the participants has a number, or all have the same.
    """
    path, values = _column(folders, column, option)
    numbers: dict[str, float] = {}
    lacking: dict[str, str] = {}
    for who in sorted(participants):
        value = values.get(who)
        number = math.nan if value is None else _number(value)
        if math.isfinite(number):
            numbers[who] = number
        elif value is None:
            lacking[who] = f"{path} has no row of it"
        elif value in _MISSING:
            lacking[who] = f"its {column} is n/a in {path}"
        else:
            lacking[who] = f"its {column} is {value!r} in {path}, which is no number"
    if needed and not numbers:
        found = sorted({values[who] for who in participants if who in values} - set(_MISSING))
        said = f"its values are {listing(map(repr, found), most=4)}" if found else "all are n/a"
        raise BadDataError(
            f"{path}: the column {column!r} has no number for any of the {len(participants)} "
            f"participants with maps ({said}); {option} needs a column of numbers."
        )
    if needed and len(set(numbers.values())) == 1:
        raise BadDataError(
            f"{path}: the column {column!r} is {next(iter(numbers.values())):g} for all "
            f"{len(numbers)} participants with maps, so there is nothing to decode; name another "
            f"{option}."
        )
    unit = _unit(path, column)
    return NumberColumn(name=column, unit=unit, path=path, numbers=numbers, lacking=lacking)


def has_column(folders: Iterable[Path], column: str) -> bool:
    """Whether any ``participants.tsv`` has a column."""
    paths = (folder / PARTICIPANTS for folder in folders)
    return any(column in _table(path) for path in paths if path.is_file())


def _column(folders: Iterable[Path], column: str, option: str) -> tuple[Path, dict[str, str]]:
    """Return the table that has a column, and the column as it is written."""
    places = list(folders)
    tables = {p: _table(p) for each in places if (p := each / PARTICIPANTS).is_file()}
    if not tables:
        raise NoInputError(
            f"No {PARTICIPANTS} in {' or '.join(map(str, dict.fromkeys(places)))}, but its column "
            f"{column!r} is asked for; add the file or leave out {option}."
        )
    path = next((each for each in tables if column in tables[each]), next(iter(tables)))
    table = tables[path]
    for wanted in ("participant_id", column):
        if wanted not in table:
            raise UsageError(
                f"{path} has no column {wanted!r}; {nearest(wanted, list(table.columns))}"
            )
    values: dict[str, str] = {}
    for label, value in zip(table["participant_id"], table[column], strict=True):
        participant = without_prefix(label, "sub-")
        if values.get(participant, value) != value:
            raise BadDataError(
                f"{path} gives sub-{participant} two values of {column!r}, "
                f"{values[participant]!r} and {value!r}; keep one row."
            )
        values[participant] = value.strip()
    return path, values


def _table(path: Path) -> pd.DataFrame:
    try:
        return parse_table(path.read_text(encoding="utf-8-sig")).fillna("")
    except (OSError, ValueError) as problem:
        what = " ".join(str(problem).split())[:300]
        raise BadDataError(f"{path} is not a readable table ({what}); repair it.") from None


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan


def _unit(path: Path, column: str) -> str:
    """Return the unit that the data dictionary gives, empty where it gives none."""
    try:
        said = json.loads(path.with_suffix(".json").read_text(encoding="utf-8-sig"))
        unit = said[column]["Units"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
    return " ".join(unit.split())[:40] if isinstance(unit, str) and unit.isprintable() else ""
