"""The families of HCP's participants, from the user's own copy of the restricted data."""

from pathlib import Path

import pandas as pd

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
        header = pd.read_csv(path, nrows=0, dtype=str, encoding="utf-8-sig")
        for wanted in (_PARTICIPANT, column):
            if wanted not in header:
                raise UsageError(
                    f"{path} has no column {wanted!r}; {nearest(wanted, list(header.columns))}"
                    " Name the column with --family-column."
                )
        table = pd.read_csv(
            path,
            usecols=[_PARTICIPANT, column],
            dtype=str,
            encoding="utf-8-sig",
            keep_default_na=False,
        )
    except OSError as error:
        raise NoInputError(f"--restricted {path} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        what = " ".join(str(error).split())
        raise BadDataError(f"--restricted {path} is not a readable CSV ({what}).") from None
    families: dict[str, str] = {}
    for who, family in zip(table[_PARTICIPANT], table[column], strict=True):
        label, name = who.strip(), family.strip()
        if families.setdefault(label, name) != name:
            raise BadDataError(
                f"--restricted {path} gives {label} two families, {families[label]!r} and "
                f"{name!r}; keep one row."
            )
    return {label: name for label, name in families.items() if label and name}
