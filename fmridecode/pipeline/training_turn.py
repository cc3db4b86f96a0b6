"""One run at a time trains in an OUTPUT_DIR; the others wait for its decoders.

``flock`` is not to be relied on here: some network file systems refuse it, and some grant it to
every node. The turn is a marker file that is created exclusively, which NFS (version 3 and
later), Lustre, GPFS and BeeGFS do atomically. Its holder touches it; a marker that no one touches
any more, or whose process is gone from this machine, is taken over.

Two runs that trained at once all the same, after a machine slept, say, would write the same files
whole: the turn spares time, and nothing depends on it for being right.
"""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from filelock import SoftFileLease, Timeout

from fmridecode.bids.atomic import make_folder
from fmridecode.errors import CannotCreateError

log = logging.getLogger(__name__)

MARKER = ".training.lock"
EXPIRES = 180.0
"""Seconds without a sign of life; NFS clients may see a file's times a minute late."""

SIGN_OF_LIFE = 20.0
_ASKS = 1.0


@contextlib.contextmanager
def training_turn(models: Path) -> Iterator[None]:
    """Hold the turn to train in a folder of decoders, waiting for another run that has it.

    Raises
    ------
    CannotCreateError
        The marker cannot be written.
    """
    make_folder(models)
    lease = SoftFileLease(
        models / MARKER,
        lease_duration=EXPIRES,
        heartbeat_interval=SIGN_OF_LIFE,
        poll_interval=_ASKS,
    )
    try:
        try:
            lease.acquire(timeout=0)
        except Timeout:
            log.info(
                "Another run trains in %s, and this one waits for its decoders. To spare an array "
                "the wait, run the level train first. (If that run was killed on another machine, "
                "its turn ends after %d minutes.)",
                models,
                EXPIRES / 60,
            )
            lease.acquire()
    except OSError as error:
        raise CannotCreateError(
            f"{models / MARKER} cannot be created ({error.strerror or error}); "
            "choose a place you may write to."
        ) from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lease.release()
