"""Where the decoder that ``--model`` names lies."""

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fmridecode.bundles.files import CONFIG
from fmridecode.bundles.shipped import shipped
from fmridecode.errors import NoInputError, UsageError

FOLDS = "folds.tsv"
HUB = "hf://"


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A bundle, or the folder of a cross-validation's bundles."""

    kind: Literal["bundle", "folds"]
    path: Path


def locate(given: str, *, option: str = "--model") -> Located:
    """Find a decoder by what ``--model`` can be.

    A path that exists goes before a shipped name.

    Parameters
    ----------
    given
        A folder or zip with a bundle, a shipped name, an OUTPUT_DIR, one of its
        ``models/<name>``, or ``hf://owner/name[@revision]``.
    option
        What the message calls it.

    Raises
    ------
    NoInputError
        There is no such thing; the message says what was looked for.
    UsageError
        An OUTPUT_DIR has decoders of several names.
    """
    if given.startswith(HUB):
        from fmridecode.bundles.hub import fetch

        return Located(kind="bundle", path=fetch(given.removeprefix(HUB)))
    path = Path(given).expanduser()
    if path.is_file() or (path / CONFIG).is_file():
        return Located(kind="bundle", path=path)
    if (path / FOLDS).is_file():
        return Located(kind="folds", path=path)
    trained = sorted(each.parent for each in (path / "models").glob(f"*/{FOLDS}"))
    if len(trained) > 1:
        raise UsageError(
            f"{option} {given} has decoders of several names; name one of them: "
            f"{', '.join(map(str, trained))}."
        )
    if trained:
        return Located(kind="folds", path=trained[0])
    names = shipped()
    if given in names:
        return Located(kind="bundle", path=names[given])
    if path.is_dir():
        raise NoInputError(
            f"{option} {given} is a folder with neither a bundle ({CONFIG}, model.safetensors) "
            f"nor trained decoders (models/*/{FOLDS})."
        )
    near = difflib.get_close_matches(given, names, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]}?" if near else f"shipped are {', '.join(names) or 'none'}."
    raise NoInputError(
        f"{option} {given} is no folder, zip or shipped decoder, and does not begin with {HUB}; "
        f"{hint}"
    )
