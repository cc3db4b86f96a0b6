"""The files of a bundle from a zip: read in memory, never extracted, and nothing is believed."""

import io
import stat
import zipfile
import zlib
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath

_ENTRIES = 100
_RATIO = 100
_SLACK = 2**20
"""Bytes that may come from however few; real weights shrink little, a zip bomb a thousandfold."""
_ENCRYPTED = 0x1
_TIME = (1980, 1, 1, 0, 0, 0)

_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError)


def read_zip(content: bytes, wanted: Mapping[str, int]) -> dict[str, bytes]:
    """Return the wanted files of a zip, at its top or in the one folder that it holds.

    Parameters
    ----------
    content
        The whole zip.
    wanted
        File names, and the most bytes that each may have.

    Raises
    ------
    ValueError
        It is no zip, or one that could do harm: paths that leave it, links, duplicates,
        encryption, or far more content than bytes.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            _check(entries)
            folder = _folder(entries, wanted)
            return {
                name: _read(archive, entry, most)
                for name, most in wanted.items()
                for entry in entries
                if entry.filename == folder + name
            }
    except _BROKEN as problem:
        what = str(problem) or "it is cut short"
        raise ValueError(f"it is not a readable zip ({what})") from None


def write_zip(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of some files; equal files make equal zips."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, date_time=_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def _check(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > _ENTRIES:
        raise ValueError(f"its zip has {len(entries)} entries; a bundle has three")
    seen: set[str] = set()
    for entry in entries:
        name = entry.orig_filename
        path = PurePosixPath(name)
        outside = path.is_absolute() or ".." in path.parts
        if outside or "\\" in name or ":" in name or "\0" in name or not name.isprintable():
            raise ValueError(f"its zip has the path {name!r}, which leaves the bundle")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise ValueError(f"its zip has the link {name!r}")
        if entry.flag_bits & _ENCRYPTED:
            raise ValueError(f"its zip has the encrypted file {name!r}")
        if str(path) in seen:
            raise ValueError(f"its zip has {name!r} twice")
        seen.add(str(path))


def _folder(entries: list[zipfile.ZipInfo], wanted: Collection[str]) -> str:
    """Return the folder of the wanted files, with a slash, empty at the top."""
    paths = [PurePosixPath(each.filename) for each in entries if not each.is_dir()]
    folders = {str(path.parent) for path in paths if path.name in wanted and len(path.parts) <= 2}
    if "." in folders:
        return ""
    if len(folders) > 1:
        raise ValueError(f"its zip holds {len(folders)} bundles; a zip is for one")
    return f"{folders.pop()}/" if folders else ""


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes:
    allowed = min(most, _SLACK + _RATIO * entry.compress_size)
    with archive.open(entry) as stream:  # its header may lie about its size
        content = stream.read(allowed + 1)
    if len(content) > allowed:
        raise ValueError(f"{entry.filename} of its zip has more than {allowed} bytes")
    return content
