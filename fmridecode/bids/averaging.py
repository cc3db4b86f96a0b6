"""Which maps may be averaged into one example, and which may not."""

from collections.abc import Sequence

from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.labels import listing, normal
from fmridecode.errors import UsageError

AVERAGED = ("run", "direction", "acquisition")
"""Maps of one example may differ in these, and in nothing else."""

LABEL_BY = ("task", "contrast", "task+contrast")
"""The values of ``--label-by``."""


def check_alike(group: Sequence[ContrastMap], label_by: str) -> None:
    """Refuse to average maps that differ in more than run, direction or acquisition.

    Parameters
    ----------
    label_by
        One of `LABEL_BY`, or the option that makes the classes.

    Raises
    ------
    UsageError
        Two maps of the example differ otherwise, or not at all.
    """
    first = group[0]
    for other in group[1:]:
        differing = _differences(first, other)
        if not differing:
            if _averaged(first) == _averaged(other):
                raise UsageError(
                    f"{first.path} and {other.path} have the same name but for the folder or "
                    "extension; delete one, or choose with --bids-filter-file."
                )
            continue
        entity = "contrast" if "contrast" in differing else differing[0]
        finer = [o for o in LABEL_BY if o != label_by and entity in o.split("+")]
        option = label_by if label_by.startswith("--") else f"--label-by {label_by}"
        remedy = f"use --label-by {' or '.join(finer)}, or choose" if finer else "choose"
        if differing == ["space"]:
            remedy = "name the wanted space with --space, or choose"
        raise UsageError(
            f"sub-{first.participant} has several maps for one class ({first.path.name} and "
            f"{other.path.name} differ in {listing(differing)}) and {option} would "
            f"average them; {remedy} one with --bids-filter-file."
        )


def _differences(a: ContrastMap, b: ContrastMap) -> list[str]:
    mine, theirs = dict(a.others), dict(b.others)
    differing = [
        name
        for name in ("task", "contrast", "space", "stat", "node")
        if normal(getattr(a, name)) != normal(getattr(b, name))
    ]
    return differing + [
        name
        for name in sorted({*mine, *theirs} - {*AVERAGED, "extension"})
        if mine.get(name) != theirs.get(name)
    ]


def _averaged(each: ContrastMap) -> tuple[str, ...]:
    others = dict(each.others)
    return (each.run, *(others.get(name, "") for name in AVERAGED[1:]))
