"""What a section of a page is made of.

Each block is rendered by the template ``blocks/<kind>.html``. Text is escaped there unless it is
`markupsafe.Markup`; build markup with `markupsafe.Markup(...).format(...)`, which escapes its
arguments.
"""

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Source:
    """A file that a number or a figure comes from, and its address relative to the page."""

    name: str
    href: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """A paragraph."""

    kind: ClassVar[str] = "prose"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading within a section."""

    kind: ClassVar[str] = "heading"
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One number of the summary, with what it is and what to compare it with."""

    value: str
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The few numbers to remember."""

    kind: ClassVar[str] = "facts"
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A figure: inline markup, its words, and the files that it shows.

    Parameters
    ----------
    markup
        The inline SVG or ``<img>``.
    caption
        What is shown, with its n.
    file
        The figure's own file, to download.
    sources
        The tables or maps it was drawn from.
    width
        Natural width in CSS pixels.
    """

    kind: ClassVar[str] = "picture"
    markup: str
    caption: str
    file: Source
    sources: tuple[Source, ...]
    width: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One entry of a legend; ``css`` is the swatch's class."""

    css: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gallery:
    """Pictures side by side that wrap on narrow screens; ``flow`` stacks unequal heights."""

    kind: ClassVar[str] = "gallery"
    pictures: tuple[Picture, ...]
    smallest: int = 320
    legend: tuple[Key, ...] = ()
    flow: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading, whether it holds numbers, and what it means."""

    title: str
    numeric: bool = False
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table; ``opened`` False folds it away under its caption."""

    kind: ClassVar[str] = "grid"
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    sources: tuple[Source, ...] = ()
    opened: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Paste:
    """Text to be copied into a manuscript, one paragraph an entry."""

    kind: ClassVar[str] = "paste"
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list of short texts."""

    kind: ClassVar[str] = "listing"
    texts: tuple[str, ...]
    numbered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """What is not on the page, the file it would come from, and what writes that."""

    kind: ClassVar[str] = "missing"
    what: str
    file: str
    remedy: str


Block = Prose | Heading | Facts | Picture | Gallery | Grid | Paste | Listing | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedSection:
    """A section as the page's template sees it."""

    anchor: str
    title: str
    question: str
    blocks: tuple[Block, ...] = field(default=())
