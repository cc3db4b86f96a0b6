"""Charts: drawn by matplotlib, saved as SVG, and inlined so that they follow the page's theme."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure

from fmridecode.atomic import write_atomically
from fmridecode.report.blocks import Picture, Source
from fmridecode.report.palette import COLOURS, FAINT, INK, PAPER, RULE, SOFT

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from fmridecode.report.derivatives import Derivatives

PIXELS_PER_INCH = 96  # of CSS; so a chart's inches are its natural width on the page
LONGEST_LABEL = 26

_STYLE: Any = {  # matplotlib types the keys as literals of its own version
    "svg.fonttype": "none",
    "svg.hashsalt": "fmridecode",
    "text.parse_math": False,
    "font.family": ["sans-serif"],
    "font.sans-serif": ["Helvetica Neue", "Helvetica", "Arial", "Liberation Sans", "DejaVu Sans"],
    "font.size": 9.0,
    "axes.edgecolor": RULE.light,
    "axes.labelcolor": SOFT.light,
    "axes.labelsize": 9.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 1.0,
    "axes.axisbelow": True,
    "axes.titlesize": 9.5,
    "axes.titlecolor": INK.light,
    "axes.titlelocation": "left",
    "axes.facecolor": "none",
    "axes.unicode_minus": True,
    "figure.facecolor": PAPER.light,
    "grid.color": RULE.light,
    "grid.linewidth": 0.8,
    "text.color": INK.light,
    "xtick.color": SOFT.light,
    "ytick.color": SOFT.light,
    "xtick.major.size": 0.0,
    "ytick.major.size": 0.0,
    "xtick.major.pad": 5.0,
    "ytick.major.pad": 6.0,
}


@contextmanager
def chart_style() -> Iterator[None]:
    """Apply the charts' style while drawing, and put matplotlib's settings back."""
    with mpl.rc_context(_STYLE):
        yield


def draw(
    derivatives: Derivatives,
    name: str,
    paint: Callable[[Axes], None],
    *,
    width: float,
    height: float,
    alt: str,
    caption: str,
    sources: tuple[Path, ...],
    cropped: bool = False,
) -> Picture:
    """Draw a chart on one pair of axes, save it under ``figures/``, and return it for a page.

    Parameters
    ----------
    derivatives
        Where ``figures/`` lies.
    name
        Stem of the file.
    paint
        Draws on the axes; called within `chart_style`.
    width, height
        In inches, 96 CSS pixels each.
    alt
        What the chart shows, in words, for those who cannot see it.
    caption
        The caption, with n.
    sources
        The files whose numbers are drawn.
    cropped
        Cut the margins off, where labels need an unknown part of the width.
    """
    with chart_style():
        figure = Figure(figsize=(width, height), layout="constrained")
        paint(figure.add_subplot())
        buffer = io.StringIO()
        figure.savefig(
            buffer,
            format="svg",
            metadata={"Date": None, "Title": alt},
            bbox_inches="tight" if cropped else None,
        )
    path = save_figure(derivatives, f"{slug(name)}.svg", buffer.getvalue().encode())
    return Picture(
        markup=inline_svg(buffer.getvalue(), alt=alt, prefix=slug(name)),
        caption=caption,
        file=source(derivatives, path, "SVG"),
        sources=tuple(source(derivatives, each) for each in sources),
        width=natural_width(buffer.getvalue()),
    )


def inline_svg(svg: str, *, alt: str, prefix: str) -> Markup:
    """Turn a saved SVG into markup whose colours are CSS variables and whose ids are unique."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>\s*", "", body, flags=re.DOTALL)
    body = re.sub(r"<title>.*?</title>\s*", "", body, count=1, flags=re.DOTALL)
    body = re.sub(r'(<svg [^>]*?)\swidth="[^"]*"', r"\1", body, count=1)
    body = re.sub(r'(<svg [^>]*?)\sheight="[^"]*"', r"\1", body, count=1)
    body = re.sub(r'\bid="', f'id="{prefix}-', body)
    body = re.sub(r'href="#', f'href="#{prefix}-', body)
    body = re.sub(r"url\(#", f"url(#{prefix}-", body)
    for colour in COLOURS:
        body = body.replace(f": {colour.light}", f": var(--{colour.name})")
    body = re.sub(r"'Helvetica Neue'(?:, [^;\"]*?)?(?=[;\"])", "var(--figure)", body)
    return Markup('<svg role="img" aria-label="{}"').format(alt) + Markup(body[4:])


def natural_width(svg: str) -> int:
    """Return the width of a saved SVG in CSS pixels.

    >>> natural_width('<svg width="72pt" height="36pt">')
    96
    """
    found = re.search(r'<svg[^>]*\swidth="([0-9.]+)pt"', svg)
    return round(float(found[1]) * PIXELS_PER_INCH / 72) if found else 0


def save_figure(derivatives: Derivatives, name: str, content: bytes) -> Path:
    """Write a file under ``figures/``."""
    path = derivatives.figures / name
    write_atomically(path, content)
    return path


def source(derivatives: Derivatives, path: Path, name: str = "") -> Source:
    """Name a file and its address relative to the pages."""
    return Source(name=name or path.name, href=derivatives.link(path))


def slug(text: str) -> str:
    """Turn any text into a file's stem or an anchor.

    >>> slug("Motor <b>: left/right")
    'Motor-b-left-right'
    """
    return re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-") or "unnamed"


def short(label: str) -> str:
    """Shorten a label that would crowd a chart.

    >>> short("a very long name of a condition of an experiment")
    'a very long name of a con…'
    """
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def label_inches(labels: list[str] | tuple[str, ...]) -> float:
    """Estimate the width that horizontal labels need."""
    return 0.25 + 0.072 * max((len(short(label)) for label in labels), default=0)


def annotate_reference(axes: Axes, x: float, text: str) -> None:
    """Mark a value that the others are to be compared with, such as chance, by a dashed line."""
    axes.axvline(x, color=FAINT.light, linewidth=1.0, linestyle=(0, (3, 3)), zorder=1)
    axes.annotate(
        text,
        (x, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=8.5,
        color=SOFT.light,
    )
