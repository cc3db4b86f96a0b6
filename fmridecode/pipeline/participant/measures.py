"""What is measured of a participant's maps beyond alignment, and the tables that it goes to.

To add a measure, write a function from the `Subject` to tables, and name it here with its
dictionaries and the field of `EvaluationConfig` that turns it on. Writing, and removing what an
earlier run left, follow from the entry; so does the group level, from an entry in
`fmridecode.pipeline.group.measures`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from fmridecode.bids.derivatives import table_path, write_table
from fmridecode.pipeline.participant.faithfulness import (
    CURVES_DICTIONARY,
    FAITHFULNESS_DICTIONARY,
    faithfulness_tables,
)
from fmridecode.pipeline.participant.reliability import RELIABILITY_DICTIONARY, reliability_tables
from fmridecode.pipeline.participant.robustness import ROBUSTNESS_DICTIONARY, robustness_tables
from fmridecode.pipeline.participant.sanity import SANITY_DICTIONARY, sanity_tables
from fmridecode.pipeline.participant.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One measure.

    Parameters
    ----------
    setting
        Field of `EvaluationConfig`; nothing is measured where it is ``off``.
    dictionaries
        By table, such as ``desc-faithfulness_scores``: its data dictionary.
    tables
        Makes some or all of them; a table that is not made, or has no row, is not written.
    """

    setting: str
    dictionaries: Mapping[str, Mapping[str, str]]
    tables: Callable[[Subject], Mapping[str, pd.DataFrame]]


MEASURES: tuple[Measure, ...] = (
    Measure(
        setting="faithfulness",
        dictionaries={
            "desc-faithfulness_scores": FAITHFULNESS_DICTIONARY,
            "desc-faithfulness_curves": CURVES_DICTIONARY,
        },
        tables=faithfulness_tables,
    ),
    Measure(
        setting="sanity",
        dictionaries={"desc-sanity_scores": SANITY_DICTIONARY},
        tables=sanity_tables,
    ),
    Measure(
        setting="reliability",
        dictionaries={"desc-reliability_scores": RELIABILITY_DICTIONARY},
        tables=reliability_tables,
    ),
    Measure(
        setting="robustness",
        dictionaries={"desc-robustness_scores": ROBUSTNESS_DICTIONARY},
        tables=robustness_tables,
    ),
)


def write_measures(subject: Subject, output_dir: Path) -> None:
    """Write the tables of all measures that are on, and remove earlier ones of the others."""
    for measure in MEASURES:
        on = getattr(subject.turn.config.evaluation, measure.setting) != "off"
        tables = measure.tables(subject) if on and len(subject.known) else {}
        for name, dictionary in measure.dictionaries.items():
            path = table_path(output_dir, subject.label, name)
            table = tables.get(name)
            if table is not None and len(table):
                write_table(path, table, dictionary)
                continue
            for stale in (path, path.with_suffix(".json")):
                stale.unlink(missing_ok=True)
