"""``group_desc-summary.json``: the findings of the group level in one file, and its schema."""

import hashlib
import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from fmridecode.atomic import write_atomically
from fmridecode.report.derivatives import Derivatives
from fmridecode.report.findings import paragraphs
from fmridecode.report.findings.finding import plain
from fmridecode.report.group.facts import class_names, metrics, metrics_table, unseen
from fmridecode.report.group.methods import version_of
from fmridecode.report.regression.facts import (
    alignment_table,
    is_of_number,
    scores,
    scores_table,
    target_of,
)
from fmridecode.report.table import Table

FORMAT = 1
SUMMARY, SCHEMA = "group_desc-summary.json", "group_desc-summary.schema.json"
_FOUND = (
    "interpretability_summary",
    "participants_summary",
    "faithfulness_summary",
    "sanity_summary",
    "reliability_summary",
    "robustness_summary",
)
"""Tables whose numbers are among the findings, or one row a participant."""


def write_summary(output_dir: Path) -> None:
    """Write the summary and its schema, or remove earlier ones where nothing was decoded."""
    derivatives = Derivatives(root=output_dir)
    content = summary(derivatives)
    for name, text in (
        (SCHEMA, files("fmridecode.report").joinpath("summary.schema.json").read_text("utf-8")),
        (SUMMARY, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"),
    ):
        if content:
            write_atomically(output_dir / name, text.encode())
        else:
            (output_dir / name).unlink(missing_ok=True)


def summary(derivatives: Derivatives) -> dict[str, Any]:
    """Return the content of the file; empty where nothing was decoded."""
    if is_of_number(derivatives):
        return number_summary(derivatives)
    table = metrics_table(derivatives)
    rows = () if table is None else metrics(table)
    if not rows:
        return {}
    tables = derivatives.group_tables()
    found = {each.key: each.values for each in sum(paragraphs(derivatives), ())}
    return {
        **_run(derivatives, rows[0].n_participants, rows[0].n_maps),
        "classes": list(class_names(derivatives)),
        **found,
        "measures": {name: _measure(each) for each in tables if (name := _measured(each))},
        "maps": {
            **found.get("maps", {}),
            "files": [m.path.name for m in derivatives.group_maps()],
        },
        "tables": [each.path.name for each in tables],
    }


def number_summary(derivatives: Derivatives) -> dict[str, Any]:
    """Return the content of the file where a number was decoded; empty where nobody is scored."""
    table, aligned = scores_table(derivatives), alignment_table(derivatives)
    rows = () if table is None else scores(table)
    if table is None or not rows:
        return {}
    name, unit = target_of(derivatives)
    return {
        **_run(derivatives, rows[0].n_participants, rows[0].n_maps),
        "classes": [],
        "regression": {
            "table": table.path.name,
            "target": name,
            "unit": unit,
            "scores": _measure(table)["rows"],
            "alignment": [] if aligned is None else _measure(aligned)["rows"],
        },
        "measures": {},
        "maps": {"files": [each.path.name for each in derivatives.number_maps()]},
        "tables": [each.path.name for each in derivatives.group_tables()],
    }


def _run(derivatives: Derivatives, n_participants: int, n_maps: int) -> dict[str, Any]:
    """Return what is said of any run: the software, its settings and who was scored."""
    excluded = derivatives.table("excluded_participants", "participant_id")
    return {
        "$schema": SCHEMA,
        "format": FORMAT,
        "software": {"name": "fmridecode", "version": version_of(derivatives)},
        "settings": _settings(derivatives),
        "participants": {
            "n": n_participants,
            "n_maps": n_maps,
            "n_excluded": None if excluded is None else excluded.frame["participant_id"].nunique(),
            "n_predictions_seen_in_training": unseen(derivatives).n_seen,
        },
    }


def _settings(derivatives: Derivatives) -> dict[str, Any]:
    path = derivatives.config_path()
    if path is None:
        return {"file": None, "sha256": None}
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"file": path.relative_to(derivatives.root).as_posix(), "sha256": digest}


def _measured(table: Table) -> str:
    """Return the name of a summary that is no finding of its own; empty for other tables."""
    name = table.path.stem.partition("desc-")[2]
    return name if name.endswith("_summary") and name not in _FOUND else ""


def _measure(table: Table) -> dict[str, Any]:
    rows = [
        {str(name): plain(value) for name, value in row.items()}
        for row in table.frame.to_dict("records")
    ]
    return {"table": table.path.name, "rows": rows}
