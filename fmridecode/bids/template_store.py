"""The templates that fmridecode needs, put into an archive for machines without a network."""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from fmridecode.bids.atomic import write_atomically
from fmridecode.bids.labels import nearest
from fmridecode.bids.templateflow import TemplateFlow, known_md5, skeleton_texts
from fmridecode.errors import NoInputError, UsageError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """How much of a space's known files an archive has.

    Parameters
    ----------
    space
        The template.
    verified
        Files that are there with the right MD5.
    missing
        Paths, in the archive, of those that are not.
    """

    space: str
    verified: int
    missing: tuple[str, ...]


def known_spaces() -> tuple[str, ...]:
    """Return the templates of which fmridecode knows files by their MD5."""
    return tuple(sorted({_space(path) for path in known_md5()}))


def stock(flow: TemplateFlow, space: str) -> Stock:
    """Say which of the known files of a space are in an archive; nothing is fetched."""
    paths = _paths(space)
    missing = tuple(path for path in paths if flow.there(path) is None)
    return Stock(space=space, verified=len(paths) - len(missing), missing=missing)


def store_templates(
    flow: TemplateFlow, spaces: Collection[str], source: Path | None = None
) -> list[Stock]:
    """Bring all known files of some spaces into an archive, their MD5 verified.

    With them come the licence, the description and the tables of atlases, as TemplateFlow
    packages them.

    Parameters
    ----------
    flow
        The archive to fill.
    spaces
        Templates, of `known_spaces`.
    source
        Another archive to copy from; None fetches over the network.

    Raises
    ------
    UsageError
        Of a space no file is known.
    NoInputError
        A file is not to be had.
    CannotCreateError, ReadWriteError
        The archive cannot be written.
    """
    for space in spaces:
        if space not in known_spaces():
            raise UsageError(
                f"--space {space}: no file of it is known by its MD5; "
                f"{nearest(space, known_spaces())}"
            )
    other = None if source is None else TemplateFlow(home=source, online=False)
    for space in spaces:
        for path in _paths(space):
            _store(flow, path, other)
        for path, content in _texts(space).items():
            write_atomically(flow.home / path, content)
    return [stock(flow, space) for space in spaces]


def _store(flow: TemplateFlow, path: str, other: TemplateFlow | None) -> None:
    if flow.there(path) is not None:
        return
    if other is None:
        if flow.fetched(path) is None:
            raise NoInputError(
                f"{flow.url(path)} is not to be had; download it on another machine to "
                f"FOLDER/{path} and use --source FOLDER."
            )
        return
    found = other.there(path)
    if found is None:
        raise NoInputError(
            f"{other.home / path} is missing or its MD5 is not TemplateFlow's; download it from "
            f"{flow.url(path)}."
        )
    write_atomically(flow.home / path, found.path.read_bytes())


def _texts(space: str) -> Mapping[str, bytes]:
    """Return the licence, the description and the tables of the atlases among the files."""
    names = {"LICENSE", "CHANGES", "template_description.json"}
    for path in _paths(space):
        name = path.rpartition("/")[2]
        if "_atlas-" in name:
            parts = [part for part in name.split("_") if not part.startswith("res-")]
            names.add("_".join(parts).replace(".nii.gz", ".tsv"))
    wanted = {f"tpl-{space}/{name}" for name in names}
    return skeleton_texts(wanted=lambda path: path in wanted)


def _paths(space: str) -> list[str]:
    return [path for path in known_md5() if _space(path) == space]


def _space(path: str) -> str:
    return path.partition("/")[0].removeprefix("tpl-")
