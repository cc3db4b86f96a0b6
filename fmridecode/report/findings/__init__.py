"""What a group of participants showed: the sentences of the summary, and the same for machines.

Each finding is made from tables by one function, so that the page and ``group_desc-summary.json``
cannot differ. To add one, write a function from `Derivatives` to a `Finding` or None, and name it
in the paragraph where its sentence belongs.
"""

from collections.abc import Callable

from fmridecode.report.derivatives import Derivatives
from fmridecode.report.findings import (
    alignment,
    comparison,
    decoding,
    faithfulness,
    maps,
    stability,
)
from fmridecode.report.findings.finding import Finding

PARAGRAPHS: tuple[tuple[Callable[[Derivatives], Finding | None], ...], ...] = (
    (decoding.found, comparison.found, stability.robustness),
    (alignment.found, faithfulness.found),
    (stability.sanity, stability.reliability),
    (maps.found,),
)


def paragraphs(derivatives: Derivatives) -> tuple[tuple[Finding, ...], ...]:
    """Return the findings by paragraph; without those that nothing was computed for."""
    return tuple(
        tuple(each for find in paragraph if (each := find(derivatives)) is not None)
        for paragraph in PARAGRAPHS
    )
