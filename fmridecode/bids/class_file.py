"""Definitions of classes, from a TOML file or one that is shipped.

A table a class::

    ["working-memory"]
    task = "WM"
    contrast = "2BK-0BK"

    [gambling]
    maps = [
      { task = "GAMBLING", contrast = "PUNISH" },
      { task = "GAMBLING", contrast = "REWARD", weight = 1 },
    ]
    ready = { task = "GAMBLING", contrast = "PUNISH-REWARD-mean" }

``maps`` are averaged with their weights. Where the data set has maps that are this average
already, ``ready`` names them, and they are used instead. ``contrast`` may be a list of names of
one thing. Case and punctuation do not count.
"""

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.labels import check_distinct, listing, nearest, normal
from fmridecode.errors import NoInputError, UsageError

_SHIPPED = resources.files("fmridecode.bids") / "class_sets"
_LARGEST = 2**20
_KEYS = ("task", "contrast", "maps", "ready")
_PART_KEYS = ("task", "contrast", "weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassPart:
    """Maps of one task and contrast, and how much they count.

    ``contrasts`` are names of one thing; empty for any contrast, as ``task`` for any task.
    """

    task: str
    contrasts: tuple[str, ...]
    weight: float = 1.0

    def __str__(self) -> str:
        return " ".join(filter(None, (self.task, " or ".join(self.contrasts))))

    def matches(self, each: ContrastMap) -> bool:
        """Whether a map is meant; one whose name has no task goes by its contrast alone."""
        named = {normal(contrast) for contrast in self.contrasts}
        if named and normal(each.contrast) not in named:
            return False
        same_task = normal(each.task) == normal(self.task)
        return not self.task or same_task or bool(named and not each.task)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassDefinition:
    """One class: the weighted mean of its parts, or of maps that are that mean already."""

    name: str
    parts: tuple[ClassPart, ...]
    ready: ClassPart | None = None


def read_classes(given: str) -> tuple[ClassDefinition, ...]:
    """Return the definitions of ``--classes``: a file, or the name of a shipped set.

    Raises
    ------
    NoInputError
        The file cannot be read.
    UsageError
        It is not TOML, or not made of such definitions.
    """
    option = f"--classes {given}"
    try:
        content = tomllib.loads(_text(given, option))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        what = " ".join(str(error).split())[:200]
        raise UsageError(f"{option} is not valid TOML ({what}); repair it.") from None
    definitions = tuple(_definition(name, table, option) for name, table in content.items())
    if len(definitions) < 2:
        raise UsageError(
            f"{option} defines {len(definitions)} classes; a decoder tells at least two apart."
        )
    check_distinct(each.name for each in definitions)
    return definitions


def _text(given: str, option: str) -> str:
    path = Path(given).expanduser()
    shipped = sorted(e.name.removesuffix(".toml") for e in _SHIPPED.iterdir())
    try:
        if given in shipped and not path.is_file():
            return (_SHIPPED / f"{given}.toml").read_text(encoding="utf-8")
        if path.suffix != ".toml" and not path.exists():
            raise UsageError(
                f"{option} is neither a file nor a shipped set of classes; "
                f"{nearest(given, shipped)}"
            )
        if path.stat().st_size > _LARGEST:
            raise UsageError(f"{option} has more than {_LARGEST} bytes; name a TOML file.")
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise NoInputError(f"{option} cannot be read ({reason}); check the path.") from error


def _definition(name: str, table: object, option: str) -> ClassDefinition:
    where = f"{option}: the class {name!r}"
    if not normal(name):
        raise UsageError(f"{where} has no letter or digit in its name; rename it.")
    if not name.isprintable() or set(name) & set("<>"):
        raise UsageError(f"{where} has < or > or a control character in its name; rename it.")
    if not isinstance(table, dict):
        raise UsageError(f'{where} is {table!r}; write a table such as [{name}] task = "motor".')
    _check_keys(table, _KEYS, where)
    if "maps" in table:
        if {"task", "contrast"} & set(table):
            raise UsageError(f"{where} has both maps and task or contrast; keep one of them.")
        maps = table["maps"]
        if not isinstance(maps, list) or not maps:
            raise UsageError(f"{where}: maps is {maps!r}; write a list of {{task, contrast}}.")
        parts = tuple(_part(each, where) for each in maps)
    else:
        parts = (_part({k: v for k, v in table.items() if k != "ready"}, where),)
    ready = _part(table["ready"], where) if "ready" in table else None
    return ClassDefinition(name=name, parts=parts, ready=ready)


def _part(table: object, where: str) -> ClassPart:
    if not isinstance(table, dict):
        raise UsageError(f"{where} has the map {table!r}; write {{task = ..., contrast = ...}}.")
    _check_keys(table, _PART_KEYS, where)
    contrast, task = table.get("contrast", []), table.get("task", "")
    contrasts = [contrast] if isinstance(contrast, str) else contrast
    labels = [task, *contrasts] if isinstance(contrasts, list) else [None]
    texts = [each for each in labels if isinstance(each, str)]
    if len(texts) < len(labels) or not any(normal(each) for each in texts):
        raise UsageError(
            f"{where} has a map of task {task!r} and contrast {contrast!r}; write the labels as "
            "text, at least one of the two."
        )
    return ClassPart(task=task, contrasts=tuple(contrasts), weight=_weight(table, where))


def _weight(table: Mapping[str, Any], where: str) -> float:
    weight = table.get("weight", 1.0)
    usable = isinstance(weight, int | float) and not isinstance(weight, bool)
    if not usable or not math.isfinite(weight) or weight == 0:
        raise UsageError(f"{where} has the weight {weight!r}; write a number other than 0.")
    return float(weight)


def _check_keys(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    if unknown := sorted(set(table) - set(known)):
        raise UsageError(f"{where} has {listing(unknown)}; {nearest(unknown[0], known)}")
