"""The images of a data set and their entities, indexed by pybids with our own entities."""

import hashlib
import logging
import os
import warnings
from collections import defaultdict
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from fmridecode.bids.atomic import make_folder, write_atomically
from fmridecode.errors import CannotCreateError, InvalidBIDSError, NoInputError

log = logging.getLogger(__name__)

ENTITIES = resources.files("fmridecode.bids") / "entities.json"
_SKIPPED = {"derivatives", "sourcedata", "code", "stimuli", "models", "logs", "figures"}
_IMAGES = (".nii.gz", ".nii", ".img.gz", ".img")


def index_images(root: Path, database_dir: str = "") -> dict[Path, dict[str, str]]:
    """Return the entities of every image of a data set, by path.

    Parameters
    ----------
    root
        Folder of the data set; the maps lie in it, not in its ``derivatives/``.
    database_dir
        Where pybids' index is kept between runs. pybids would use it for ever, whatever has
        changed since; a fingerprint of the file names and of our entities lies beside it, and a
        mismatch rebuilds it.

    Raises
    ------
    NoInputError
        The folder cannot be read.
    CannotCreateError
        The index cannot be written.
    """
    if not database_dir:
        return _entities(_layout(root, None, fresh=True))
    folder = Path(database_dir).expanduser() / _digest(str(root))[:16]
    make_folder(folder)
    wanted = fingerprint(root)
    stored = folder / "fingerprint.txt"
    if _read(stored) == wanted:
        try:
            return _entities(_layout(root, folder, fresh=False))
        except Exception as error:  # a damaged SQLite file fails in as many ways as it has bytes
            log.warning("The pybids index in %s is damaged (%s); it is rebuilt", folder, error)
    elif stored.exists():
        log.info("The data set has changed since %s was made; the index is rebuilt", folder)
    stored.unlink(missing_ok=True)
    (folder / "layout_index.sqlite").unlink(missing_ok=True)
    found = _entities(_layout(root, folder, fresh=True))
    write_atomically(stored, wanted.encode())
    return found


def fingerprint(root: Path) -> str:
    """Return a digest of all file names of a data set and of our entity config."""
    digest = hashlib.sha256(ENTITIES.read_bytes())
    for path in _walk(root):
        digest.update(os.fsencode(path) + b"\0")
    return digest.hexdigest()


def _walk(root: Path) -> Iterator[str]:
    def fail(error: OSError) -> None:
        raise NoInputError(
            f"{error.filename} cannot be read ({error.strerror}); check its permissions."
        ) from error

    for folder, subfolders, files in os.walk(root, followlinks=True, onerror=fail):
        skipped = _SKIPPED if Path(folder) == root else set()
        subfolders[:] = sorted(d for d in subfolders if d not in skipped and d[0] != ".")
        yield from (str(Path(folder, name)) for name in sorted(files))


def _layout(root: Path, database: Path | None, *, fresh: bool) -> Any:
    from bids import BIDSLayout, BIDSLayoutIndexer

    with resources.as_file(ENTITIES) as entities, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pybids warns of what we report ourselves
        try:
            return BIDSLayout(
                root,
                validate=False,
                is_derivative=True,
                config=["bids", "derivatives", str(entities)],
                database_path=database,
                reset_database=fresh and database is not None,
                indexer=BIDSLayoutIndexer(validate=False, index_metadata=False),
            )
        except OSError as error:
            what = error.filename or root
            raise NoInputError(f"{what} cannot be indexed ({error.strerror}).") from error
        except Exception as error:
            if not fresh:
                raise
            if database is None:
                raise InvalidBIDSError(
                    f"pybids cannot index {root} ({type(error).__name__}: {error}); check its "
                    "dataset_description.json and layout_config.json."
                ) from error
            raise CannotCreateError(
                f"The pybids index cannot be written to {database} ({error}); "
                "name another --bids-database-dir."
            ) from error


def _entities(layout: Any) -> dict[Path, dict[str, str]]:
    """Read all entities with one query; pybids' own ``get`` makes one for every file."""
    from bids.layout.models import Tag

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        columns = (Tag.file_path, Tag.entity_name, Tag._value)
        rows = layout.session.query(*columns).filter(~Tag.is_metadata).all()
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for path, entity, value in rows:
        found[path][entity] = str(value)
    images = {}
    for path in sorted(map(Path, found)):
        # by its end, for pybids takes all from the first dot in a name for the extension
        extension = next((e for e in _IMAGES if path.name.endswith(e)), None)
        if extension and not path.name.startswith("."):
            images[path] = {**found[str(path)], "extension": extension}
    return images


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""
