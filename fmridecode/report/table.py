"""A table of derivatives: a TSV with its JSON data dictionary."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from fmridecode.errors import BadDataError

if TYPE_CHECKING:
    from pathlib import Path

# Labels stay text, even where they look like numbers ("01") or like missing values ("NA").
_TEXT_COLUMNS = (
    "participant_id", "session_id", "source", "true_label", "predicted_label", "label", "target",
    "data_label", "unlike_in",
    "method", "method_a", "method_b", "criterion", "measure", "metric", "unit", "role", "fold",
    "reason", "reasons", "stage", "order",
    "replacement", "curve", "reference", "series", "map", "cluster", "basis", "region", "parcel",
    "parcel_a", "parcel_b", "atlas", "randomised", "predictor", "layer", "similarity", "survives",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of a TSV, and what its data dictionary says of the columns.

    Parameters
    ----------
    path
        The TSV.
    frame
        Its rows; text columns are ``str``, ``n/a`` is missing.
    descriptions
        Column name to description, empty where there is no dictionary.
    """

    path: Path
    frame: pd.DataFrame
    descriptions: dict[str, str]

    def values_where(self, column: str, **equal_to: str) -> pd.Series[Any]:
        """Return one column of the rows whose other columns have the given values."""
        rows = self.frame
        for name, value in equal_to.items():
            rows = rows[rows[name] == value]
        return rows[column]


def read_table(path: Path, *, columns: tuple[str, ...] = ()) -> Table | None:
    """Read a TSV and its data dictionary; return None where there is no such file.

    Parameters
    ----------
    path
        The TSV; the dictionary lies beside it, with the extension ``.json``.
    columns
        Columns that have to be there.

    Raises
    ------
    BadDataError
        The file cannot be read as a TSV, or lacks one of ``columns``.
    """
    if not path.is_file():
        return None
    try:
        frame = pd.read_csv(
            path,
            sep="\t",
            dtype=dict.fromkeys(_TEXT_COLUMNS, str),
            keep_default_na=False,
            na_values=["n/a", ""],
        )
    except (ValueError, OSError) as error:
        raise BadDataError(
            f"{path} cannot be read as a TSV ({error}); re-run its level"
        ) from error
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise BadDataError(
            f"{path} lacks the column {', '.join(missing)} (it has {', '.join(frame.columns)}); "
            f"re-run its level with this version"
        )
    dictionary = read_json(path.with_suffix(".json"))
    descriptions = {
        name: str(entry["Description"])
        for name, entry in dictionary.items()
        if isinstance(entry, dict) and "Description" in entry
    }
    return Table(path=path, frame=frame, descriptions=descriptions)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; return an empty one where there is no such file.

    Raises
    ------
    BadDataError
        The file does not hold a JSON object.
    """
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise BadDataError(f"{path} is not valid JSON ({error}); re-run its level") from error
    if not isinstance(content, dict):
        raise BadDataError(f"{path} holds a {type(content).__name__}, expected a JSON object")
    return content
