"""From JSON to the dataclasses of a bundle, every field checked: nothing is believed."""

import math
import unicodedata
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

_LONGEST = 10_000
_MOST = 1_000_000
_BAD = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
"""Unicode categories that can hide or fake text on a terminal or a page."""


def rebuild(kind: type[T], said: object, where: str) -> T:
    """Make a dataclass of what JSON holds.

    Raises
    ------
    ValueError
        A field is missing, unknown, or not of its type; the message names it.
    """
    if not isinstance(said, dict):
        raise ValueError(f"its {where} is {_shown(said)}, not a table")
    declared = {each.name: each for each in fields(kind)}  # type: ignore[arg-type]
    if unknown := sorted(set(said) - set(declared)):
        raise ValueError(f"its {where} has {_shown(unknown[0])}, which is not known")
    for name, each in declared.items():
        if name not in said and each.default is MISSING and each.default_factory is MISSING:
            raise ValueError(f"its {where} has no {name!r}")
    hints = get_type_hints(kind)
    return kind(
        **{name: _value(hints[name], value, f"{where} {name}") for name, value in said.items()}
    )


def check_text(text: str, where: str, *, longest: int = _LONGEST) -> str:
    """Return text that is safe to show.

    Raises
    ------
    ValueError
        It is too long, or has characters that control a terminal or change what is read.
    """
    if len(text) > longest:
        raise ValueError(f"its {where} has {len(text)} characters; {longest} are allowed")
    for character in text:
        if unicodedata.category(character) in _BAD:
            raise ValueError(f"its {where} holds the control character {character!r}")
    return text


def _value(hint: Any, value: object, where: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        if isinstance(value, bool) or value not in arguments:
            raise ValueError(f"its {where} is {_shown(value)}, not one of {arguments}")
        return value
    if origin in (Union, UnionType):
        return _one_of(arguments, value, where)
    if origin is tuple:
        return _items(arguments, value, where)
    if is_dataclass(hint):
        return rebuild(hint, value, where)  # type: ignore[arg-type]
    return _scalar(hint, value, where)


def _one_of(kinds: tuple[Any, ...], value: object, where: str) -> Any:
    problems = []
    for kind in kinds:
        if kind is type(None):
            if value is None:
                return None
            continue
        try:
            return _value(kind, value, where)
        except ValueError as problem:
            problems.append(problem)
    raise problems[0]


def _items(arguments: tuple[Any, ...], value: object, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list) or len(value) > _MOST:
        raise ValueError(f"its {where} is {_shown(value)}, not a list")
    return tuple(_value(arguments[0], each, where) for each in value)


def _scalar(kind: Any, value: object, where: str) -> Any:
    if kind is float and type(value) in (int, float):
        number = float(value)  # type: ignore[arg-type]
        if not math.isfinite(number):
            raise ValueError(f"its {where} is {number}")
        return number
    if type(value) is not kind:
        raise ValueError(f"its {where} is {_shown(value)}, not of type {kind.__name__}")
    return check_text(value, where) if isinstance(value, str) else value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
