"""The three files of a bundle, from a folder or a zip."""

from dataclasses import dataclass
from pathlib import Path

from fmridecode.bundles.zips import read_zip
from fmridecode.errors import BadDataError, NoInputError

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"

MOST = {CONFIG: 2**26, WEIGHTS: 2**32, CARD: 2**22}
"""The most bytes that each file may have."""

ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """What was read; an empty card where there is none."""

    weights: bytes
    config: bytes
    card: bytes


def read_files(path: Path) -> Files:
    """Read the files of a bundle.

    Parameters
    ----------
    path
        A folder, or a zip of one.

    Raises
    ------
    NoInputError
        A file is missing or cannot be read.
    BadDataError
        A file is too large, or the zip cannot be used.
    """
    if path.is_dir():
        found = {name: _read(path / name, most) for name, most in MOST.items()}
    else:
        content = _read(path, sum(MOST.values()))
        if content is None:
            raise NoInputError(f"{path} does not exist; a decoder bundle is a folder or a zip.")
        try:
            found = dict.fromkeys(MOST) | read_zip(content, MOST)
        except ValueError as problem:
            raise BadDataError(f"{path} is not a usable decoder bundle: {problem}.") from None
    for name in (CONFIG, WEIGHTS):
        if found[name] is None:
            raise NoInputError(
                f"{path} has no {name}: a decoder bundle has {WEIGHTS}, {CONFIG} and {CARD}."
            )
    return Files(
        weights=found[WEIGHTS] or b"", config=found[CONFIG] or b"", card=found[CARD] or b""
    )


def _read(path: Path, most: int) -> bytes | None:
    try:
        if path.stat().st_size > most:
            raise BadDataError(f"{path} has more than {most} bytes; it is no part of a decoder.")
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as problem:
        raise NoInputError(
            f"{path} cannot be read ({problem.strerror}); check its permissions."
        ) from None
