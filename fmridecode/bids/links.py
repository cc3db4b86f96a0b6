"""Put a file of the input into the output: as a link or a copy, whole or not at all."""

import os
import shutil
from pathlib import Path
from typing import BinaryIO, Literal
from uuid import uuid4

from fmridecode.bids.atomic import atomic, make_folder
from fmridecode.errors import CannotCreateError, NoInputError

Link = Literal["symlink", "hardlink", "copy"]


def place(source: Path, path: Path, link: Link) -> None:
    """Make `path` a link to `source`, or a copy of it; what is there already is replaced.

    Raises
    ------
    NoInputError
        The source cannot be read.
    CannotCreateError, ReadWriteError
        The link or the copy cannot be made.
    """
    if link == "copy":
        with _opened(source) as stream, atomic(path) as out:
            shutil.copyfileobj(stream, out, 1 << 20)
        return
    make_folder(path.parent)
    temporary = path.with_name(f".{path.name[:180]}.{uuid4().hex[:8]}.tmp")
    try:
        if link == "symlink":
            temporary.symlink_to(source.absolute())
        else:
            os.link(source, temporary)
        temporary.replace(path)
    except OSError as error:
        raise CannotCreateError(
            f"{path} cannot be made a {link} to {source} ({error.strerror}); use --link copy."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)  # of two equal hard links, rename leaves both


def _opened(source: Path) -> BinaryIO:
    try:
        return source.open("rb")
    except OSError as error:
        raise NoInputError(
            f"{source} cannot be opened ({error.strerror}); check it and its permissions."
        ) from error
