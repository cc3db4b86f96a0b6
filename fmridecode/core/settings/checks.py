"""What the configs share: checks of their values, and numbers that are left to choose."""

from typing import Literal

from fmridecode.errors import UsageError

Auto = Literal["auto"]
AUTO: Auto = "auto"
"""Stands for a number that is to be chosen on validation participants."""


def require(condition: bool, name: str, value: object, expected: str) -> None:
    """Raise a UsageError that names the option, its value and what was expected."""
    if not condition:
        raise UsageError(f"{name} is {value!r}; expected {expected}.")


def chosen(value: float | Auto, name: str) -> float:
    """Return a number that may have been left to choose, once it is chosen.

    Raises
    ------
    UsageError
        When it is still ``auto``.
    """
    if value == AUTO:
        raise UsageError(f"{name} is auto and not chosen yet; give a number.")
    return float(value)


def require_positive_or_auto(value: float | Auto, name: str) -> None:
    """Raise a UsageError unless the value is a positive number or ``auto``."""
    good = value == AUTO if isinstance(value, str) else value > 0
    require(good, name, value, "a positive number, or auto")
