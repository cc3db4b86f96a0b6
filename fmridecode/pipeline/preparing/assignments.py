"""What went where: one row for every image of the data set and class that uses it."""

from pathlib import Path

import pandas as pd

from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.derivatives import write_table
from fmridecode.bids.plan import LeftOut, Plan

CLASSES = "classes.tsv"
DICTIONARY = {
    "source": "BIDS URI of the image.",
    "participant_id": "Participant.",
    "session_id": "Session, n/a where the data set has none.",
    "task": "Task in the name of the image.",
    "contrast": "Contrast in the name of the image.",
    "stat": "Statistic in the name of the image.",
    "space": "Space in the name of the image.",
    "class": "Class that the image belongs to, n/a where it is left out.",
    "weight": "Share of the image in the mean that is one example of the class.",
    "reason": "Why it is left out.",
}


def assignment_table(plan: Plan, left_out: LeftOut) -> pd.DataFrame:
    """Return one row for every image and class, the images that are left out last.

    Parameters
    ----------
    plan
        What is to be made, and what the classes leave out.
    left_out
        What the filters leave out.
    """
    rows = []
    for example in plan.examples:
        name = plan.classes[example.label].name
        alike = (1 / len(example.sources),) * len(example.sources)
        for each, weight in zip(example.sources, example.weights or alike, strict=True):
            rows.append(_row(each, name=name, weight=weight))
    rows += [_row(each, reason=reason) for each, reason in (*plan.left_out, *left_out)]
    return pd.DataFrame(rows, columns=list(DICTIONARY))


def _row(
    each: ContrastMap,
    *,
    name: str | None = None,
    weight: float | None = None,
    reason: str | None = None,
) -> dict[str, object]:
    return {
        "source": each.uri,
        "participant_id": f"sub-{each.participant}" if each.participant else None,
        "session_id": f"ses-{each.session}" if each.session else None,
        "task": each.task or None,
        "contrast": each.contrast or None,
        "stat": each.stat or None,
        "space": each.space or None,
        "class": name,
        "weight": weight,
        "reason": reason,
    }


def write_assignments(output_dir: Path, plan: Plan, left_out: LeftOut) -> None:
    """Write ``logs/classes.tsv``; parallel jobs on one data set write the same."""
    write_table(output_dir / "logs" / CLASSES, assignment_table(plan, left_out), DICTIONARY)
