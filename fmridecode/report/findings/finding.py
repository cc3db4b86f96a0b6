"""One finding: for people, and for machines."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

if TYPE_CHECKING:
    import pandas as pd

    from fmridecode.report.blocks import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one part of the evaluation came to.

    Parameters
    ----------
    key
        Its name in ``group_desc-summary.json``.
    values
        Its content there: numbers, texts, None for what is not defined.
    sentence
        The same in plain language.
    facts
        Numbers to remember.
    """

    key: str
    values: Mapping[str, Any]
    sentence: Markup
    facts: tuple[Fact, ...] = ()


def plain(value: Any) -> Any:
    """Return a cell of a table as JSON has it: whole numbers whole, None for missing ones.

    >>> plain(3.0), plain(0.25), plain(float("nan")), plain("a"), plain(True)
    (3, 0.25, None, 'a', True)
    """
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool | np.bool_):
        return bool(value)
    number = float(value)
    if not math.isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def record(row: pd.Series[Any], *names: str) -> dict[str, Any]:
    """Return some columns of a row, as `plain` values."""
    return {name: plain(row[name]) for name in names}
