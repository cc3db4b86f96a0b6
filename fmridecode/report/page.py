"""Rendering of sections into one self-contained page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined

from fmridecode import __version__
from fmridecode.atomic import write_atomically
from fmridecode.report.blocks import Block, RenderedSection
from fmridecode.report.palette import COLOURS, NEGATIVE, POSITIVE

if TYPE_CHECKING:
    from pathlib import Path

    from fmridecode.report.derivatives import Derivatives

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section(Generic[Subject]):
    """One section: its anchor, title, the question it answers, and what builds it."""

    anchor: str
    title: str
    question: str
    build: Callable[[Subject], tuple[Block, ...]]


def write_page(
    derivatives: Derivatives,
    *,
    path: Path,
    title: str,
    subject: Subject,
    sections: Iterable[Section[Subject]],
) -> Path:
    """Build the sections of a subject and write them as one HTML file.

    The page loads nothing: styles and figures are inline, and its Content-Security-Policy
    forbids every request and every script but its own.
    """
    rendered = tuple(
        RenderedSection(
            anchor=section.anchor,
            title=section.title,
            question=section.question,
            blocks=section.build(subject),
        )
        for section in sections
    )
    environment = Environment(
        loader=PackageLoader("fmridecode.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = environment.get_template("theme.html").render()
    html = environment.get_template("page.html").render(
        title=title,
        dataset=str(derivatives.description().get("Name", "")),
        sections=rendered,
        colours=COLOURS,
        negative=_css(NEGATIVE),
        positive=_css(POSITIVE),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        version=__version__,
        written=datetime.now(UTC).strftime("%d %B %Y, %H:%M UTC"),
        is_group=path.name == "group.html",
        has_group=(derivatives.root / "group.html").is_file(),
    )
    write_atomically(path, html.encode())
    return path


def _css(colour: tuple[float, float, float]) -> str:
    return "rgb({})".format(" ".join(f"{255 * channel:.0f}" for channel in colour))
