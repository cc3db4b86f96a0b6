"""Which of the images found are used: the options and the filter file."""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fmridecode.bids.labels import listing, nearest, normal, without_prefix
from fmridecode.bids.settings import InputConfig
from fmridecode.errors import NoInputError, NothingMatchedError, UsageError

SUFFIX = "statmap"
Entities = Mapping[str, str]
_ANY = ("*", "Query.ANY")
_NONE = (None, "Query.NONE")
_KEYS = {"subject": "sub", "session": "ses", "task": "task"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One reason why images are left out, and what to say when none is left."""

    option: str
    keeps: Callable[[Entities], bool]
    entity: str


def read_filters(path: str) -> dict[str, Any]:
    """Return the entity filters of a ``--bids-filter-file``; empty without one.

    Values are as in fMRIPrep: a label, a list of labels, ``null`` for "has none", ``"*"`` for
    "has any".

    Raises
    ------
    NoInputError
        The file cannot be read.
    UsageError
        It is not a JSON object of such filters.
    """
    if not path:
        return {}
    option = f"--bids-filter-file {path}"
    try:
        content = json.loads(Path(path).expanduser().read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise NoInputError(f"{option} cannot be read ({error.strerror}); check it.") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{option} is not valid JSON ({error}).") from error
    if isinstance(content, dict) and isinstance(content.get(SUFFIX), dict):
        content = content[SUFFIX]
    if not isinstance(content, dict):
        raise UsageError(
            f"{option} holds a {type(content).__name__}; write an object such as "
            '{"statmap": {"desc": "smoothed"}}.'
        )
    for entity, wanted in content.items():
        for value in wanted if isinstance(wanted, list) else [wanted]:
            if value is not None and not isinstance(value, str | int):
                raise UsageError(
                    f"{option}: the filter {entity!r} is {wanted!r}; write a label, a list of "
                    'labels, null (has none) or "*" (has any).'
                )
    return content


def select(
    images: Sequence[Entities], *, filters: Mapping[str, Any], config: InputConfig, where: Path
) -> tuple[list[int], dict[int, str]]:
    """Return the indices of the images that pass all filters, and why the others do not.

    Raises
    ------
    NoInputError
        There is no image at all.
    NothingMatchedError
        None passes; the message says what is there.
    """
    if not images:
        raise NoInputError(
            f"No NIfTI image is in {where}; name the folder with the statistical maps, or the raw "
            f"data set with -d NAME=PATH.{_derivatives_there(where)}"
        )
    kept, why = list(range(len(images))), dict[int, str]()
    for step in _steps(filters, images):
        left = [i for i in kept if step.keeps(images[i])]
        if not left:
            raise NothingMatchedError(_nothing([images[i] for i in kept], step, where))
        why |= {i: _reason(step, images[i]) for i in set(kept) - set(left)}
        kept = left
    for option, given, entity in (
        ("--participant-label", config.participant_label, "subject"),
        ("--session-label", config.session_label, "session"),
        ("--task-id", config.task_id, "task"),
    ):
        if given:
            left = _asked_for(images, kept, option=option, given=given, entity=entity)
            why |= dict.fromkeys(set(kept) - set(left), f"not asked for by {option}")
            kept = left
    return kept, why


def _reason(step: Step, image: Entities) -> str:
    if step.option:
        return f"does not pass {step.option}"
    if step.entity == "suffix":
        return f"the suffix is {image.get('suffix') or 'missing'}, not {SUFFIX}"
    return "it belongs to no participant (no sub-)"


def _steps(filters: Mapping[str, Any], images: Sequence[Entities]) -> list[Step]:
    steps = [Step(option="", keeps=lambda e: bool(e.get("subject")), entity="subject")]
    if "suffix" not in filters:
        steps.insert(
            0, Step(option="", keeps=lambda e: e.get("suffix") == SUFFIX, entity="suffix")
        )
    known = sorted({key for each in images for key in each})
    for entity, wanted in filters.items():
        if entity not in known and wanted not in _NONE:
            raise NothingMatchedError(
                f"--bids-filter-file asks for the entity {entity!r}, which no file name has; "
                f"{nearest(entity, known)}"
            )
        steps.append(_file_step(entity, wanted))
    return steps


def _asked_for(
    images: Sequence[Entities],
    kept: Sequence[int],
    *,
    option: str,
    given: Sequence[str],
    entity: str,
) -> list[int]:
    """Keep the labels of one option; each must be there. Participants are matched exactly."""
    same = str if entity == "subject" else normal
    labels = [without_prefix(each, f"{_KEYS[entity]}-") for each in given]
    there = {label for i in kept if (label := images[i].get(entity, ""))}
    if absent := [each for each in labels if same(each) not in {same(label) for label in there}]:
        raise NothingMatchedError(
            f"{option}: no map for {listing(absent)}; there are maps for {listing(there)}."
        )
    wanted = {same(label) for label in labels}
    return [i for i in kept if same(images[i].get(entity, "")) in wanted]


def _file_step(entity: str, wanted: Any) -> Step:
    values = wanted if isinstance(wanted, list) else [wanted]

    def keeps(entities: Entities) -> bool:
        label = entities.get(entity)
        if label is None:
            return any(value in _NONE for value in values)
        return any(value in _ANY or _same(value, label) for value in values)

    option = f"--bids-filter-file ({entity}: {json.dumps(wanted)})"
    return Step(option=option, keeps=keeps, entity=entity)


def _same(value: str | int | None, label: str) -> bool:
    if isinstance(value, int):
        return label.isdigit() and int(label) == value
    return value == label


def _nothing(images: Sequence[Entities], step: Step, where: Path) -> str:
    counts = Counter(each.get(step.entity, "") for each in images)
    there = ", ".join(f"{label or 'none'} ({n})" for label, n in counts.most_common(8))
    if step.entity == "suffix" and not step.option:
        return (
            f"None of the {len(images)} images in {where} is a statistical map (suffix statmap); "
            f"their suffixes are {there}. Name the folder with the maps, its raw data set with "
            f"-d NAME=PATH, or another suffix in --bids-filter-file.{_derivatives_there(where)}"
        )
    if not step.option:
        return f"None of the {len(images)} maps in {where} belongs to a participant (sub-)."
    return (
        f"{step.option} matches none of the {len(images)} maps in {where}; "
        f"the labels of {step.entity} are {there}."
    )


def _derivatives_there(where: Path) -> str:
    try:
        there = sorted(d for d in (where / "derivatives").iterdir() if d.is_dir())
    except OSError:
        return ""
    return f" For example: -d {there[0].name}={there[0]}" if there else ""
