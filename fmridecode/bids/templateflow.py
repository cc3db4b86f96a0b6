"""TemplateFlow's archive, on disk and over the network, without importing its client.

Importing the client unpacks thousands of files, most of them empty, into ``TEMPLATEFLOW_HOME``;
its ``get`` leaves empty files behind without a network, and takes any file that is not empty for
the right one. What is needed of it is little: the metadata in the skeleton that it packages, and
one download.
"""

import hashlib
import json
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from fmridecode.bids.atomic import write_atomically
from fmridecode.bids.download import fetch
from fmridecode.bids.labels import nearest
from fmridecode.errors import FmridecodeError, NoInputError, UsageError

log = logging.getLogger(__name__)

URL = "https://templateflow.s3.amazonaws.com"


def templateflow_home() -> Path:
    """Return ``TEMPLATEFLOW_HOME``, by default the user's cache folder."""
    from platformdirs import user_cache_dir

    given = os.environ.get("TEMPLATEFLOW_HOME")
    return Path(given or user_cache_dir("templateflow")).expanduser().absolute()


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFile:
    """A file of the archive that is there, and whether its MD5 is the known one."""

    path: Path
    verified: bool


@dataclass(frozen=True, kw_only=True)
class TemplateFlow:
    """The archive as far as it is on this machine.

    Parameters
    ----------
    home
        Folder of the archive; need not exist nor be writable.
    online
        Whether a missing file may be fetched.
    """

    home: Path = field(default_factory=templateflow_home)
    online: bool = True

    def resolutions(self, space: str) -> dict[str, Any]:
        """Return ``{res label: {shape, zooms, origin}}`` of a template.

        Raises
        ------
        UsageError
            TemplateFlow has no such template, or none with a volume.
        """
        path = f"tpl-{space}/template_description.json"
        try:
            described = json.loads((self.home / path).read_text(encoding="utf-8"))["res"]
        except (OSError, ValueError, KeyError, TypeError):
            described = self._packaged.get(path, {})
        if not described:
            known = sorted(p.split("/")[0][4:] for p, res in self._packaged.items() if res)
            raise UsageError(
                f"--space {space}: TemplateFlow has no such volume template; "
                f"{nearest(space, known)}"
            )
        return dict(described)

    def expected(self, space: str, label: str, what: str) -> str:
        """Return the path, in the archive, of an image such as ``desc-brain_mask``."""
        return f"tpl-{space}/tpl-{space}_res-{label}_{what}.nii.gz"

    def url(self, path: str) -> str:
        """Return the address of a file of the archive."""
        return f"{URL}/{path}"

    def find(self, space: str, label: str, what: str) -> TemplateFile | None:
        """Return an image, fetched when it is missing or wrong; None when it is not to be had."""
        path = self.expected(space, label, what)
        return self.there(path) or (self.fetched(path) if self.online else None)

    def expected_table(self, space: str, what: str) -> str:
        """Return the path, in the archive, of a table such as ``atlas-X_dseg``."""
        return f"tpl-{space}/tpl-{space}_{what}.tsv"

    def find_table(self, space: str, what: str) -> TemplateFile | None:
        """Return a table, fetched when it is missing; None when it is not to be had."""
        path = self.expected_table(space, what)
        return self.there(path) or (self.fetched(path) if self.online else None)

    def expected_transform(self, source: str, target: str) -> str:
        """Return the path, in the archive, of what brings images of one space to another."""
        return f"tpl-{target}/tpl-{target}_from-{source}_mode-image_xfm.h5"

    def find_transform(self, source: str, target: str) -> TemplateFile | None:
        """Return the composite transform, fetched when missing; None when not to be had.

        Only between templates that TemplateFlow has, so that no other name makes a path.
        """
        if not {source, target} <= {p.split("/")[0][4:] for p in self._packaged}:
            return None
        path = self.expected_transform(source, target)
        return self.there(path) or (self.fetched(path) if self.online else None)

    def underlay(self, space: str, label: str) -> Path | None:
        """Return the anatomical image of a template if it is there; it is not fetched."""
        for what in ("desc-brain_T1w", "T1w"):
            found = self.there(self.expected(space, label, what))
            if found is not None:
                return found.path
        return None

    def there(self, path: str) -> TemplateFile | None:
        """Return a file of the archive when it is here and is TemplateFlow's."""
        full = self.home / path
        try:
            content = full.read_bytes()
        except OSError:
            return None
        if not content:  # a stub of TemplateFlow's skeleton
            return None
        known = known_md5().get(path)
        if known is None:
            return TemplateFile(path=full, verified=False)
        if _md5(content) != known:
            log.warning("%s is not TemplateFlow's file (MD5 differs); it is not used", full)
            return None
        return TemplateFile(path=full, verified=True)

    def fetched(self, path: str) -> TemplateFile | None:
        """Fetch a file of the archive; None, with a warning, when it is not to be had."""
        log.info("Fetching %s", self.url(path))
        try:
            content, etag = fetch(self.url(path))
            known = known_md5().get(path)
            in_parts = "-" in etag  # of a large file, S3's ETag is not the MD5
            if _md5(content) != (known or etag) and not (in_parts and known is None):
                raise NoInputError(f"{self.url(path)} gave a file with another MD5")
            write_atomically(self.home / path, content)
        except FmridecodeError as error:
            log.warning("%s", error)
            return None
        return TemplateFile(path=self.home / path, verified=known is not None)

    @cached_property
    def _packaged(self) -> Mapping[str, Any]:
        """The ``res`` of every template, from the skeleton that TemplateFlow packages."""
        ending = "/template_description.json"
        described = skeleton_texts(wanted=lambda name: name.endswith(ending))
        try:
            return {name: json.loads(text).get("res") for name, text in described.items()}
        except ValueError as error:
            log.warning("TemplateFlow's packaged metadata cannot be read (%s)", error)
            return {}


def skeleton_texts(*, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Return the small files that TemplateFlow packages, by their path in the archive.

    Most files of its skeleton are empty stubs; those are left out.
    """
    spec = find_spec("templateflow")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        try:
            with ZipFile(Path(folder, "conf", "templateflow-skel.zip")) as skeleton:
                names = [each.filename for each in skeleton.infolist() if each.file_size]
                return {name: skeleton.read(name) for name in names if wanted(name)}
        except (OSError, BadZipFile) as error:
            log.warning("TemplateFlow's packaged metadata cannot be read (%s)", error)
    return {}


def known_md5() -> dict[str, str]:
    """Return the MD5 of the files that fmridecode knows, by their path in the archive."""
    table = resources.files("fmridecode.bids") / "template_md5.json"
    known: dict[str, str] = json.loads(table.read_text(encoding="utf-8"))
    return known


def _md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()
