"""The families of HCP's participants, from the user's own copy of the restricted data."""

import csv
from pathlib import Path

from fmridecode.bids.labels import nearest
from fmridecode.errors import BadDataError, NoInputError, UsageError

_PARTICIPANT = "Subject"


def read_families(path: Path, column: str) -> dict[str, str]:
    """Return the family of each participant; nothing else is read.

    Raises
    ------
    NoInputError
        The file cannot be read.
    UsageError
        It has no column of participants (``Subject``), or not the one asked for.
    BadDataError
        It is no table, or names a participant twice with different families.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            header, *rows = csv.reader(stream, strict=True)
    except OSError as error:
        raise NoInputError(f"--restricted {path} cannot be read ({error.strerror}).") from error
    except (ValueError, csv.Error) as error:
        what = " ".join(str(error).split())[:300]
        raise BadDataError(f"--restricted {path} is not a readable CSV ({what}).") from None
    for wanted in (_PARTICIPANT, column):
        if wanted not in header:
            raise UsageError(
                f"--restricted {path} has no column {wanted!r}; {nearest(wanted, header)} Name "
                "the column of families with --family-column."
            )
    families: dict[str, str] = {}
    for number, row in enumerate(filter(None, rows), start=2):
        if len(row) != len(header):
            raise BadDataError(
                f"--restricted {path}: row {number} has {len(row)} cells, the header "
                f"{len(header)}; repair it."
            )
        cells = dict(zip(header, row, strict=True))
        label, name = cells[_PARTICIPANT].strip(), cells[column].strip()
        if families.setdefault(label, name) != name:
            raise BadDataError(
                f"--restricted {path} gives {label} two families, {families[label]!r} and "
                f"{name!r}; keep one row."
            )
    return {label: name for label, name in families.items() if label and name}
