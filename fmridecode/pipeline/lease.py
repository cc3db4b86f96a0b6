"""One process at a time, on all machines that share a folder.

``flock`` is not to be relied on here: some network file systems refuse it, and some grant it to
every node. A lease is a marker file that is created exclusively, which NFS (version 3 and later),
Lustre, GPFS and BeeGFS do atomically. Its holder touches it; a marker that no one touches any
more, or whose process is gone from this machine, is taken over.

Two processes that hold it at once all the same, after a machine slept, say, do no harm: all files
are written whole.
"""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from filelock import SoftFileLease, Timeout

from fmridecode.bids.atomic import make_folder
from fmridecode.errors import CannotCreateError

log = logging.getLogger(__name__)

EXPIRES = 180.0
"""Seconds without a sign of life; NFS clients may see a file's times a minute late."""

SIGN_OF_LIFE = 20.0
"""Seconds between two touches."""


@contextlib.contextmanager
def lease(marker: Path, *, asks: float, waiting: str = "") -> Iterator[None]:
    """Hold a lease, waiting for another process that has it.

    Parameters
    ----------
    marker
        The file; its folder is made.
    asks
        Seconds between two attempts.
    waiting
        What is logged when there is someone to wait for; nothing by default.

    Raises
    ------
    CannotCreateError
        The marker cannot be written.
    """
    make_folder(marker.parent)
    held = SoftFileLease(
        marker, lease_duration=EXPIRES, heartbeat_interval=SIGN_OF_LIFE, poll_interval=asks
    )
    try:
        try:
            held.acquire(timeout=0)
        except Timeout:
            if waiting:
                log.info(
                    "%s (If that run was killed on another machine, its turn ends after %d "
                    "minutes.)",
                    waiting,
                    EXPIRES / 60,
                )
            held.acquire()
    except OSError as error:
        raise CannotCreateError(
            f"{marker} cannot be created ({error.strerror or error}); "
            "choose a place you may write to."
        ) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            held.release()
