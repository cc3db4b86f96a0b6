"""Which file holds what, which software wrote it, from which data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fmridecode.report.blocks import Block, Column, Grid
from fmridecode.report.drawing import source
from fmridecode.report.numbers import count

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.table import Table

_CONTENTS = {
    "decoding_metrics": "Accuracy and other metrics with confidence intervals",
    "decoding_classes": "Precision, recall, F1 and ROC AUC of each class",
    "decoding_permutation": "Permutation test of the accuracy",
    "decoding_comparison": "The decoder against a linear one on the same folds",
    "decoding_calibration": "Log loss, Brier score and ECE before and after the temperature",
    "decoding_reliability": "Accuracy against confidence, in bins",
    "faithfulness_curves": "Probability as voxels are replaced in the order of a map",
    "faithfulness_summary": "How much more faithful maps are than random orders of voxels",
    "confusion_counts": "How often each true class was decoded as which",
    "interpretability_summary": "CIA and CAD of each saliency method",
    "interpretability_tests": "Paired tests between saliency methods",
    "participants_summary": "Each participant’s accuracy, CIA and CAD",
    "maps_tests": "Tests of the group maps over participants",
    "clusters_peaks": "Clusters and peaks of the group maps",
    "parcels_saliency": "Mean saliency in the parcels of the atlas, tested over participants",
    "parcels_participants": "Mean saliency in the parcels of the atlas, of each participant",
    "interactions_pairs": "How every two parcels of the atlas interact in the decoders, tested",
    "interactions_tests": "Outcome of the tests of pairs of parcels",
    "regression_scores": "R2, errors, correlation and coverage, with what they are compared with",
    "regression_participants": "What was predicted of each participant",
    "regression_alignment": "How saliency agrees with the voxelwise regression",
    "excluded_participants": "Who was left out, and why",
}


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """List files and provenance."""
    return (_provenance(derivatives), _files(derivatives))


def _provenance(derivatives: Derivatives) -> Grid:
    description = derivatives.description()
    rows: list[tuple[str, str]] = []
    if "Name" in description:
        rows.append(("Data set", str(description["Name"])))
    rows += [("Written by", _software(each)) for each in _entries(description, "GeneratedBy")]
    links = description.get("DatasetLinks")
    if isinstance(links, dict):
        rows += [(f"Input “{name}”", str(target)) for name, target in links.items()]
    rows += [
        ("Source data", str(each.get("URL") or each.get("DOI") or each))
        for each in _entries(description, "SourceDatasets")
    ]
    for label, path in (
        ("Resolved settings", derivatives.config_path()),
        ("How to cite", derivatives.root / "logs" / "CITATION.md"),
        ("References", derivatives.root / "logs" / "CITATION.bib"),
        ("Description", derivatives.root / "dataset_description.json"),
    ):
        if path is not None and path.is_file():
            href = derivatives.link(path)
            name = path.relative_to(derivatives.root).as_posix()
            rows.append((label, Markup('<a href="{}">{}</a>').format(href, name)))
    return Grid(
        caption="Provenance.",
        columns=(Column("What"), Column("Which")),
        rows=tuple(rows) or (("Nothing is recorded", "dataset_description.json is missing"),),
    )


def _files(derivatives: Derivatives) -> Grid:
    tables = derivatives.group_tables()
    maps = derivatives.group_maps()
    rows = [_row(derivatives, table) for table in tables]
    rows += [
        (
            _anchor(each.path.name, derivatives.link(each.path)),
            f"Mean {each.method} saliency for {each.target}",
            "",
        )
        for each in maps
    ]
    rows += [
        (
            _anchor(each.path.name, derivatives.link(each.path)),
            str(each.sidecar.get("Description", "")).partition(";")[0],
            "",
        )
        for each in derivatives.number_maps()
    ]
    return Grid(
        caption="Files of the group level. A data dictionary lies beside each table, a sidecar "
        "beside each map.",
        columns=(Column("File"), Column("Content"), Column("Size", numeric=True)),
        rows=tuple(rows) or (("none", "run the group level", ""),),
        sources=(source(derivatives, derivatives.root / "figures", "figures/"),)
        if derivatives.figures.is_dir()
        else (),
    )


def _row(derivatives: Derivatives, table: Table) -> tuple[str, str, str]:
    name = table.path.stem.partition("desc-")[2]
    columns = ", ".join(str(column) for column in table.frame.columns)
    return (
        _anchor(table.path.name, derivatives.link(table.path)),
        _CONTENTS.get(name, f"Columns: {columns}"),
        count(len(table.frame), "row"),
    )


def _anchor(name: str, href: str) -> str:
    return Markup('<a href="{}">{}</a>').format(href, name)


def _entries(description: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = description.get(key)
    if not isinstance(found, list):
        return []
    return [each for each in found if isinstance(each, dict)]


def _software(entry: dict[str, Any]) -> str:
    name = f"{entry.get('Name', 'unnamed')} {entry.get('Version', '')}".strip()
    container = entry.get("Container")
    if isinstance(container, dict):
        return f"{name}, container {container.get('Tag', container.get('Type', ''))}"
    return name
