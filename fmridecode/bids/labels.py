"""Labels of BIDS entities: compared loosely, written strictly."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from fmridecode.errors import UsageError

_OUTSIDE = re.compile(r"[^a-zA-Z0-9]+")


def normal(label: str) -> str:
    """Return what is left of a label when case and punctuation do not count.

    >>> normal("LF-RF") == normal("lf_rf")
    True
    """
    return _OUTSIDE.sub("", label).lower()


def without_prefix(label: str, prefix: str) -> str:
    """Strip ``sub-`` or ``ses-`` where a user wrote it.

    >>> without_prefix("sub-01", "sub-")
    '01'
    """
    return label.strip().removeprefix(prefix)


def camel(*words: str) -> str:
    """Join words into one label of letters and digits, as BIDS file names need.

    Raises
    ------
    UsageError
        Nothing is left of the words.

    Examples
    --------
    >>> camel("gradient-x-input", "to", "heat")
    'gradientXInputToHeat'
    >>> camel("../../etc/passwd")
    'etcPasswd'
    """
    parts = [part for word in words for part in _OUTSIDE.split(word) if part]
    if not parts:
        raise UsageError(
            f"The label {' '.join(words)!r} has no letter or digit, so no file can be named "
            "after it; rename the class or contrast."
        )
    return parts[0] + "".join(part[0].upper() + part[1:] for part in parts[1:])


def check_distinct(labels: Iterable[str]) -> None:
    """Make sure that no two labels would name the same file.

    Case does not count: many file systems ignore it.

    Raises
    ------
    UsageError
        Two labels differ by case or punctuation only.
    """
    seen: dict[str, str] = {}
    for label in labels:
        first = seen.setdefault(camel(label).lower(), label)
        if first != label:
            raise UsageError(
                f"The labels {first!r} and {label!r} differ by case or punctuation only and would "
                "write to the same files; rename one of them."
            )


def shortened(label: str, *, most: int = 60) -> str:
    """Cut a label that is too long for a message.

    >>> shortened("a" * 100, most=5)
    'aa...'
    """
    return label if len(label) <= most else f"{label[: most - 3]}..."


def listing(labels: Iterable[str], *, most: int = 10) -> str:
    """Enumerate labels for a message, sorted and cut after `most`.

    >>> listing(["b", "a", "c"], most=2)
    'a, b and 1 more'
    """
    ordered = sorted({shortened(label) for label in labels})
    if not ordered:
        return "none"
    shown = ", ".join(ordered[:most])
    return shown if len(ordered) <= most else f"{shown} and {len(ordered) - most} more"


def nearest(name: str, known: Sequence[str]) -> str:
    """Say which known names look like this one, for the end of a message.

    >>> nearest("MNI152Nlin6", ["MNI152NLin6Asym", "OASIS"])
    'did you mean MNI152NLin6Asym?'
    """
    by_normal = {normal(each): each for each in known}
    close = get_close_matches(normal(name), list(by_normal), n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(shortened(by_normal[each]) for each in close)}?"
    return f"known are {listing(known)}."
