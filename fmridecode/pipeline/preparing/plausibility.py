"""``logs/plausibility.tsv``: the numbers of every map, and which are out of line."""

import logging
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from fmridecode.bids.derivatives import read_table, write_table
from fmridecode.bids.plausibility import (
    LEAST_COVERAGE,
    MOST_CUT,
    MOST_CUT_ALONE,
    MOST_OUTSIDE,
    MOST_RATIO,
    SIDES,
    Judged,
    Quality,
)
from fmridecode.errors import FmridecodeError
from fmridecode.pipeline.lease import lease

log = logging.getLogger(__name__)

PLAUSIBILITY = "plausibility.tsv"
DICTIONARY = {
    "source": "BIDS URI of the map.",
    "participant_id": "Participant.",
    "session_id": "Session, n/a where the data set has none.",
    "label": "Class of the map.",
    "coverage": f"Share of the brain mask with data; an outlier below {LEAST_COVERAGE:g}.",
    "outside": "Share of the map's data that lie outside the brain mask; an outlier above "
    f"{MOST_OUTSIDE:g}, unless the map fills the grid.",
    **{
        f"cut_{side}": f"Millimetres of brain without data, {side}; an outlier above "
        f"{MOST_CUT:g} and {MOST_CUT / 2:g} more than usual, or above {MOST_CUT_ALONE:g} where "
        "fewer than five maps say what is usual."
        for side in SIDES
    },
    "sd": "Standard deviation in the brain mask, in the units of the map; an outlier if it is "
    f"more than {MOST_RATIO:g} times the median of its class, or less than the median's "
    f"{MOST_RATIO:g}th part.",
    "zeros": "Share of the grid without data (0, NaN or infinite).",
    "negative": "Share of the map's voxels in the brain mask that are below 0.",
    "odd": "What is odd about the header: sform against qform, the origin, the voxel size.",
    "outlier": "Whether any of these is out of line.",
    "reasons": "What is out of line.",
}


def known_maps(output_dir: Path) -> list[Judged]:
    """Return what earlier runs wrote; nothing when there is none or it is damaged."""
    path = output_dir / "logs" / PLAUSIBILITY
    if not path.exists():
        return []
    try:
        table = read_table(path)
        return [_judged(row) for row in table.to_dict("records")]
    except (FmridecodeError, KeyError, TypeError, ValueError) as error:
        log.warning("%s is damaged (%s); it is made again", path, error)
        return []


def write_plausibility(output_dir: Path, judged: Sequence[Judged], *, everyone: bool) -> None:
    """Write the table; unless it is about everyone, rows of other participants are kept."""
    path = output_dir / "logs" / PLAUSIBILITY
    with lease(path.with_name(f".{path.name}.lock"), asks=0.1):  # other jobs write it too
        own = {each.participant for each in judged}
        known = [] if everyone else known_maps(output_dir)
        rows = [*judged, *(each for each in known if each.participant not in own)]
        rows.sort(key=lambda each: (each.participant, each.session, each.label, each.source))
        write_table(path, pd.DataFrame(map(_row, rows), columns=list(DICTIONARY)), DICTIONARY)
    outliers = [each for each in judged if each.reasons]
    if outliers:
        log.warning(
            "%d of %d maps of %d participants are out of line; see %s. They are used, unless you "
            "say --exclude-outliers.",
            len(outliers),
            len(judged),
            len({each.participant for each in outliers}),
            path,
        )


def _row(each: Judged) -> dict[str, object]:
    quality = each.quality
    return {
        "source": each.source,
        "participant_id": f"sub-{each.participant}",
        "session_id": f"ses-{each.session}" if each.session else None,
        "label": each.label,
        "coverage": quality.coverage,
        "outside": quality.outside,
        **{f"cut_{side}": mm for side, mm in zip(SIDES, quality.cut, strict=True)},
        "sd": quality.sd,
        "zeros": quality.zeros,
        "negative": quality.negative,
        "odd": "; ".join(quality.odd) or None,
        "outlier": bool(each.reasons),
        "reasons": "; ".join(each.reasons) or None,
    }


def _judged(row: Mapping[Hashable, Any]) -> Judged:
    return Judged(
        participant=_text(row["participant_id"]).removeprefix("sub-"),
        session=_text(row["session_id"]).removeprefix("ses-"),
        label=_text(row["label"]),
        source=_text(row["source"]),
        quality=Quality(
            coverage=_number(row["coverage"]),
            outside=_number(row["outside"]),
            cut=tuple(_number(row[f"cut_{side}"]) for side in SIDES),
            sd=_number(row["sd"]),
            zeros=_number(row["zeros"]),
            negative=_number(row["negative"]),
            odd=tuple(filter(None, _text(row["odd"]).split("; "))),
        ),
        reasons=tuple(filter(None, _text(row["reasons"]).split("; "))),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> float:
    return float(str(value))
