"""Files appear whole or not at all: temporary name, fsync, rename."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from uuid import uuid4

from fmridecode.errors import CannotCreateError, ReadWriteError

_FORGOTTEN = 24 * 3600.0


def make_folder(path: Path) -> None:
    """Create a folder and its parents.

    Raises
    ------
    CannotCreateError
        It cannot be created.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotCreateError(
            f"The folder {path} cannot be created ({error.strerror}); "
            "choose a place you may write to."
        ) from error


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that takes its name only when the block ends without an error.

    Raises
    ------
    CannotCreateError
        The folder or the file cannot be created.
    ReadWriteError
        Writing failed half-way, for instance because the disk is full.
    """
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name[:180]}.{uuid4().hex[:8]}.tmp")
    try:
        stream = temporary.open("xb")
    except OSError as error:
        raise CannotCreateError(
            f"{path} cannot be created ({error.strerror}); choose a place you may write to."
        ) from error
    try:
        with stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError as error:
        raise ReadWriteError(
            f"Writing {path} failed ({error.strerror or error}); "
            "free some space or choose another place, then run the same command again."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a whole file at once; see `atomic`."""
    with atomic(path) as stream:
        stream.write(content)


def sweep(folder: Path) -> None:
    """Remove the temporary files that killed runs left behind a day ago or earlier."""
    for path in folder.rglob(".*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _FORGOTTEN:
                path.unlink()
