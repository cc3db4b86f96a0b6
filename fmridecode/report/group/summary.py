"""The plain-language summary; every number in it comes from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from fmridecode.report.blocks import Block, Fact, Facts, Missing, Prose
from fmridecode.report.findings import paragraphs
from fmridecode.report.group.doubts import why_unscored
from fmridecode.report.group.facts import metrics_table

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives


def build(derivatives: Derivatives) -> tuple[Block, ...]:
    """Say in a few sentences what was found."""
    if metrics_table(derivatives) is None:
        if why := why_unscored(derivatives):
            return (Prose(text=why),)
        return (
            Missing(
                what="There is nothing to summarise yet",
                file="group_desc-decoding_metrics.tsv",
                remedy="run the group level",
            ),
        )
    facts: list[Fact] = []
    blocks: list[Block] = []
    for paragraph in paragraphs(derivatives):
        facts += [fact for each in paragraph for fact in each.facts]
        sentences = [each.sentence for each in paragraph if each.sentence]
        if sentences:
            blocks.append(Prose(text=Markup(" ").join(sentences)))
    return (Facts(facts=tuple(facts)), *blocks, *_machines(derivatives))


def _machines(derivatives: Derivatives) -> tuple[Block, ...]:
    path = derivatives.root / "group_desc-summary.json"
    if not path.is_file():
        return ()
    return (
        Prose(
            text=Markup("The same for machines, with the tables: <a href='{}'>{}</a>.").format(
                derivatives.link(path), path.name
            )
        ),
    )
