"""Results of another decoder, which would mix with those of this one."""

import json
import logging
from collections.abc import Collection
from pathlib import Path

log = logging.getLogger(__name__)


def remove_stale(
    folder: Path, written: Collection[Path], decoder_hash: str, *, endings: Collection[str]
) -> None:
    """Remove what another decoder left: it would mix with this one's in group means.

    Parameters
    ----------
    folder
        Of a participant.
    written
        What this decoder wrote.
    decoder_hash
        Of this decoder.
    endings
        Of the files to look at, after the last underscore; a sidecar names the decoder.
    """
    for path in (each for ending in endings for each in folder.glob(f"**/*_{ending}")):
        sidecar = path.with_name(path.name.partition(".")[0] + ".json")
        if path in written:
            continue
        try:
            by = json.loads(sidecar.read_text(encoding="utf-8")).get("DecoderHash")
        except (OSError, ValueError, AttributeError):
            by = None
        if by != decoder_hash:
            log.info("%s is removed: another decoder made it", path)
            path.unlink(missing_ok=True)
            sidecar.unlink(missing_ok=True)
