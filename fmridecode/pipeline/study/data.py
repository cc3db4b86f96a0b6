"""What a study works on, and what comes out of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from fmridecode.core.maps import MapSet
from fmridecode.core.truth import ClassMaps


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyData:
    """What a study works on.

    Parameters
    ----------
    maps, families
        All maps, and the family of each participant that has one.
    known
        Each participant's true activation; empty for real data.
    source
        What the maps are, for the record.
    """

    maps: MapSet
    families: Mapping[str, str]
    known: Mapping[str, ClassMaps]
    source: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResults:
    """Predictions of every decoder and scores of every row."""

    predictions: pd.DataFrame
    scores: pd.DataFrame
