"""The group tables that are made of one table of every participant.

To add one, write a function from the participants' rows to its own, and name it here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from fmridecode.pipeline.group.faithfulness import (
    CURVES,
    CURVES_SUMMARY_DICTIONARY,
    FAITHFULNESS,
    FAITHFULNESS_SUMMARY_DICTIONARY,
    curves_summary,
    faithfulness_summary,
)
from fmridecode.pipeline.group.reliability import (
    RELIABILITY,
    RELIABILITY_SUMMARY_DICTIONARY,
    reliability_summary,
)
from fmridecode.pipeline.group.robustness import (
    ROBUSTNESS,
    ROBUSTNESS_SUMMARY_DICTIONARY,
    robustness_summary,
)
from fmridecode.pipeline.group.sanity import (
    SANITY,
    SANITY_SUMMARY_DICTIONARY,
    sanity_summary,
)


class Summarise(Protocol):
    """Turns the rows of all participants into those of the group."""

    def __call__(self, rows: pd.DataFrame, /, *, seed: int) -> pd.DataFrame:
        """Return the group's table; ``seed`` is that of the bootstrap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupTable:
    """One group table.

    Parameters
    ----------
    name
        It goes to ``group_desc-<name>.tsv``.
    ending
        Of the participants' tables, such as ``desc-faithfulness_scores.tsv``.
    summarise
        Makes it.
    dictionary
        Its data dictionary.
    """

    name: str
    ending: str
    summarise: Summarise
    dictionary: Mapping[str, str]


GROUP_TABLES: tuple[GroupTable, ...] = (
    GroupTable(
        name="faithfulness_summary",
        ending=FAITHFULNESS,
        summarise=faithfulness_summary,
        dictionary=FAITHFULNESS_SUMMARY_DICTIONARY,
    ),
    GroupTable(
        name="faithfulness_curves",
        ending=CURVES,
        summarise=curves_summary,
        dictionary=CURVES_SUMMARY_DICTIONARY,
    ),
    GroupTable(
        name="sanity_summary",
        ending=SANITY,
        summarise=sanity_summary,
        dictionary=SANITY_SUMMARY_DICTIONARY,
    ),
    GroupTable(
        name="reliability_summary",
        ending=RELIABILITY,
        summarise=reliability_summary,
        dictionary=RELIABILITY_SUMMARY_DICTIONARY,
    ),
    GroupTable(
        name="robustness_summary",
        ending=ROBUSTNESS,
        summarise=robustness_summary,
        dictionary=ROBUSTNESS_SUMMARY_DICTIONARY,
    ),
)
