"""The methods text, ready to paste, with its references."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from fmridecode.report.blocks import Block, Heading, Listing, Missing, Paste, Prose
from fmridecode.report.boilerplate import boilerplate
from fmridecode.report.group.facts import class_names, metrics, metrics_table
from fmridecode.report.references import cited_in
from fmridecode.report.regression.facts import scores, scores_table
from fmridecode.report.resolved import Settings

if TYPE_CHECKING:
    from pathlib import Path

    from fmridecode.report.derivatives import Derivatives


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Write the methods text from the resolved config."""
    path = derivatives.config_path()
    if path is None:
        return (
            Missing(
                what="The methods text cannot be written",
                file="logs/<run>.toml",
                remedy="run any level, which writes the resolved config there",
            ),
        )
    paragraphs = methods_text(derivatives)
    return (
        Prose(text=_origin(derivatives, path)),
        Paste(paragraphs=paragraphs),
        Heading(text="References"),
        Listing(texts=tuple(each.written for each in cited_in(paragraphs))),
    )


def methods_text(derivatives: Derivatives) -> tuple[str, ...]:
    """Return the paragraphs of the methods text, as far as settings and tables are there."""
    given, tables = derivatives.given(), derivatives.config()
    if given:  # it decides where maps are decoded
        known = {name: given[name] for name in ("space", "resolution", "zscore") if name in given}
        tables = {**tables, "space": {**tables.get("space", {}), **known}}
    target = _target(given, tables)
    n_participants, n_maps = _numbers(derivatives, target)
    paragraphs = boilerplate(
        Settings(tables=tables),
        group=Settings(tables=derivatives.group_config()),
        given=given,
        version=version_of(derivatives),
        n_participants=n_participants,
        n_maps=n_maps,
        classes=class_names(derivatives),
        target=target,
    )
    return tuple(paragraph for paragraph in paragraphs if paragraph)


def _target(given: dict[str, Any], tables: dict[str, Any]) -> str:
    """Return what the number is called that is decoded; empty where classes are."""
    if given:
        return str(given.get("target", {}).get("name", ""))
    return str(tables.get("input", {}).get("target_column", ""))


def _numbers(derivatives: Derivatives, target: str) -> tuple[int | None, int | None]:
    """Return how many participants and maps were evaluated, None where nothing was yet."""
    if target:
        table = scores_table(derivatives)
        rows = () if table is None else scores(table)
        return (rows[0].n_participants, rows[0].n_maps) if rows else (None, None)
    table = metrics_table(derivatives)
    found = () if table is None else metrics(table)
    return (found[0].n_participants, found[0].n_maps) if found else (None, None)


def _origin(derivatives: Derivatives, path: Path) -> str:
    return Markup(
        "Filled from the resolved settings in <a href='{}'>{}</a>; free to use and change."
    ).format(derivatives.link(path), path.relative_to(derivatives.root).as_posix())


def version_of(derivatives: Derivatives) -> str:
    """Return the version of fmridecode that wrote the data set, empty where it is not said."""
    generators = derivatives.description().get("GeneratedBy")
    for entry in generators if isinstance(generators, list) else []:
        if isinstance(entry, dict) and entry.get("Name") == "fmridecode":
            return str(entry.get("Version", ""))
    return ""
