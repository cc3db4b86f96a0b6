"""The data sets that maps are read from: BIDS_DIR itself, or those named by ``-d``."""

import json
import logging
from pathlib import Path

from fmridecode.bids.labels import camel, listing
from fmridecode.bids.settings import InputConfig
from fmridecode.errors import InvalidBIDSError, NoInputError, UsageError

log = logging.getLogger(__name__)

INPUT = "input"
"""Name, in BIDS URIs, of BIDS_DIR when it holds the maps itself."""


def map_datasets(bids_dir: Path, config: InputConfig) -> dict[str, Path]:
    """Return the data sets that hold maps, by the name they have in BIDS URIs.

    They are the output's ``DatasetLinks``: in a derivative, ``bids::`` would mean the derivative
    itself, so that even BIDS_DIR goes by a name.

    Raises
    ------
    NoInputError
        A folder is missing, empty or not a folder.
    InvalidBIDSError
        A data set has no readable ``dataset_description.json``; see ``--skip-bids-validation``.
    UsageError
        Two ``-d`` have the same name.
    """
    _check_folder(bids_dir, "BIDS_DIR")
    if not config.derivatives:
        found = {INPUT: bids_dir.resolve()}
    else:
        found = _named(config.derivatives, bids_dir)
    for path in found.values():
        _check_description(path, skip=config.skip_bids_validation)
    return found


def _named(derivatives: tuple[str, ...], bids_dir: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for given in derivatives:
        name, separator, rest = given.partition("=")
        path = Path(rest if separator else given).expanduser()
        if not path.exists() and not path.is_absolute() and (bids_dir / path).exists():
            path = bids_dir / path
        _check_folder(path, f"-d {given}")
        path = path.resolve()
        label = camel(name if separator else path.name)
        if found.setdefault(label, path) != path:
            raise UsageError(
                f"-d names two data sets {label!r}: {found[label]} and {path}; "
                "give each its own name as NAME=PATH."
            )
    return found


def _check_folder(path: Path, option: str) -> None:
    try:
        if not path.exists():
            raise NoInputError(f"{option}: {path} does not exist; check the path.")
        if not path.is_dir():
            raise NoInputError(f"{option}: {path} is a file; name the folder of the data set.")
        if next(path.iterdir(), None) is None:
            raise NoInputError(f"{option}: {path} is empty; name a folder with statistical maps.")
    except OSError as error:
        raise NoInputError(
            f"{option}: {path} cannot be read ({error.strerror}); check its permissions."
        ) from error


def _check_description(root: Path, *, skip: bool) -> None:
    """Check ``dataset_description.json``: it may be missing on request, but never broken."""
    path = root / "dataset_description.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if not skip:
            raise InvalidBIDSError(
                f"{path} is missing; every BIDS data set has one. Add it, name another folder, or "
                "use --skip-bids-validation."
            ) from error
        log.warning("%s is missing; read nevertheless (--skip-bids-validation)", path)
        return
    except OSError as error:
        raise InvalidBIDSError(f"{path} cannot be read ({error.strerror}).") from error
    except (ValueError, RecursionError) as error:
        raise InvalidBIDSError(f"{path} is not valid JSON ({error}); repair it.") from error
    if not isinstance(content, dict):
        raise InvalidBIDSError(f"{path} is not a JSON object; repair it.")
    if missing := [key for key in ("Name", "BIDSVersion") if key not in content]:
        log.info("%s lacks %s; read nevertheless", path, listing(missing))
