"""What ``participants.tsv`` says of each participant."""

from collections.abc import Iterable
from pathlib import Path

from fmridecode.bids.labels import nearest, without_prefix
from fmridecode.bids.tables import parse_table
from fmridecode.errors import BadDataError, NoInputError, UsageError

PARTICIPANTS = "participants.tsv"


def read_column(folders: Iterable[Path], column: str) -> dict[str, str]:
    """Return a column of the first ``participants.tsv`` that is found, by participant label.

    Parameters
    ----------
    folders
        Roots of data sets, the first choice first.
    column
        Name of the column; rows that are empty or ``n/a`` are left out.

    Raises
    ------
    NoInputError
        No folder has the file.
    UsageError
        The file has no such column.
    BadDataError
        The file cannot be read, or names a participant twice with different values.
    """
    places = list(folders)
    path = next((each / PARTICIPANTS for each in places if (each / PARTICIPANTS).is_file()), None)
    if path is None:
        raise NoInputError(
            f"No {PARTICIPANTS} in {' or '.join(map(str, places))}, but its column {column!r} is "
            "asked for; add the file or leave out --group-column."
        )
    try:
        table = parse_table(path.read_text(encoding="utf-8-sig")).fillna("")
    except (OSError, ValueError) as problem:
        what = " ".join(str(problem).split())[:300]
        raise BadDataError(f"{path} is not a readable table ({what}); repair it.") from None
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
    return {who: value for who, value in values.items() if value not in ("", "n/a", "N/A")}
