"""Decoders from the Hugging Face Hub, or from its cache where there is no network."""

import re
from pathlib import Path

from fmridecode.bundles.files import CARD, CONFIG, WEIGHTS
from fmridecode.errors import NoInputError, TryAgainError, UsageError

_NAME = re.compile(
    r"(?P<repository>[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*)(?:@(?P<revision>[\w./-]+))?"
)


def fetch(name: str) -> Path:
    """Return the folder of a decoder in the Hub's cache, fetched if it is not there.

    The cache is huggingface_hub's own (``HF_HOME``, ``HF_HUB_CACHE``); with ``HF_HUB_OFFLINE=1``
    nothing else is looked at.

    Parameters
    ----------
    name
        ``owner/name[@revision]``, a revision being a branch, a tag or a commit.

    Raises
    ------
    UsageError
        The name is no such name, or huggingface_hub is not installed.
    NoInputError
        The Hub has no such decoder.
    TryAgainError
        The Hub cannot be reached, and the cache does not have it.
    """
    found = _NAME.fullmatch(name)
    if found is None or ".." in name:
        raise UsageError(f"hf://{name} is not of the form hf://owner/name[@revision].")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
    except ImportError:
        raise UsageError(
            f"hf://{name} needs huggingface_hub: pip install 'fmridecode[hub]'."
        ) from None
    try:
        folder = snapshot_download(
            found["repository"],
            revision=found["revision"],
            allow_patterns=[CONFIG, WEIGHTS, CARD],
        )
    except LocalEntryNotFoundError:
        raise TryAgainError(
            f"hf://{name} is not in the cache of huggingface_hub, and the Hub cannot be reached; "
            "run the same command with a network once, or copy the bundle and name its folder."
        ) from None
    except HfHubHTTPError as problem:
        status = getattr(problem.response, "status_code", None)
        raise NoInputError(
            f"hf://{name} cannot be fetched from the Hub (HTTP status {status}); check the name "
            "and the revision."
        ) from None
    return Path(folder)
