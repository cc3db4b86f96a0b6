"""The works that the methods text cites, from ``references.bib``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files

_ENTRY = re.compile(r"^@(\w+)\{([\w-]+),\n(.*?)^\}", re.DOTALL | re.MULTILINE)
_FIELD = re.compile(r"^\s*(\w+)\s*=\s*\{(.*)\},?$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One entry of a BibTeX file.

    Parameters
    ----------
    key
        By which BibTeX cites it.
    fields
        Names of fields to their content, braces within it kept.
    bibtex
        The entry as it stands in the file.
    """

    key: str
    fields: Mapping[str, str]
    bibtex: str

    @property
    def label(self) -> str:
        """How a text cites it, such as ``Kingma & Ba, 2015``."""
        names = [each.partition(",")[0] for each in self._authors]
        several = len(names) > 2 or "others" in names
        who = f"{names[0]} et al." if several else " & ".join(names)
        return f"{who}, {self.fields['year']}"

    @property
    def written(self) -> str:
        """The entry of a list of references."""
        authors = ", ".join(map(_initials, self._authors)).replace(", others", " et al.")
        where = self.fields.get("journal") or self.fields.get("booktitle", "")
        place = [where, self.fields.get("volume", "")]
        venue = " ".join(each for each in place if each)
        if pages := self.fields.get("pages"):
            venue += f":{pages.replace('--', '–')}"
        address = ""
        if doi := self.fields.get("doi"):
            address = f"doi:{doi}"
        elif eprint := self.fields.get("eprint"):
            address = f"arXiv:{eprint}"
        title = re.sub(r"[{}]", "", self.fields["title"])
        title += "" if title.endswith("!") else "."
        tail = " ".join(f"{each}." for each in (venue, address) if each)
        return f"{authors} ({self.fields['year']}). {title} {tail}"

    @property
    def _authors(self) -> list[str]:
        return self.fields["author"].split(" and ")


def _initials(author: str) -> str:
    """Return a name as in a list of references.

    >>> _initials("Lam, Ka Chun"), _initials("others")
    ('Lam KC', 'others')
    """
    family, _, given = author.partition(", ")
    return f"{family} {''.join(name[0] for name in given.split())}".strip()


def parse(text: str) -> dict[str, Reference]:
    """Return the entries of a BibTeX file by the label that a text cites; one field a line."""
    found = [
        Reference(key=key, fields=dict(_FIELD.findall(body)), bibtex=f"@{kind}{{{key},\n{body}}}")
        for kind, key, body in _ENTRY.findall(text)
    ]
    return {each.label: each for each in found}


def references() -> dict[str, Reference]:
    """Return all works that a text may cite, by label."""
    return parse(files("fmridecode.report").joinpath("references.bib").read_text("utf-8"))


def cited_in(paragraphs: tuple[str, ...]) -> tuple[Reference, ...]:
    """Return the works that a text cites, in alphabetical order.

    >>> [each.key for each in cited_in(("Adam (Kingma & Ba, 2015) was used.",))]
    ['kingma2015']
    """
    text = " ".join(paragraphs)
    cited = [each for label, each in references().items() if label in text]
    return tuple(sorted(cited, key=lambda each: each.written))
