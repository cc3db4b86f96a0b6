"""How numbers are written: true minus signs, intervals in brackets, p as in a paper."""

import math

NOTHING = "–"


def number(value: float, digits: int = 2) -> str:
    """Write a number with a fixed count of decimals.

    >>> number(-0.128), number(float("nan"))
    ('−0.13', '–')
    """
    if not math.isfinite(value):
        return NOTHING
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "−")


def interval(low: float, high: float, digits: int = 2) -> str:
    """Write a confidence interval, or nothing where it is not known.

    >>> interval(0.66, 0.758)
    '[0.66, 0.76]'
    """
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"[{number(low, digits)}, {number(high, digits)}]"


def p_value(p: float, *, symbol: bool = True) -> str:
    """Write a p-value.

    >>> p_value(0.00002), p_value(0.0312), p_value(0.4), p_value(0.4, symbol=False)
    ('p < 0.001', 'p = 0.031', 'p = 0.40', '0.40')
    """
    if not math.isfinite(p):
        return NOTHING
    if p < 0.001:
        return "p < 0.001" if symbol else "< 0.001"
    text = f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
    return f"p = {text}" if symbol else text


def count(n: float, noun: str, plural: str = "") -> str:
    """Write a count with its noun.

    >>> count(1, "map"), count(4, "class", "classes")
    ('1 map', '4 classes')
    """
    return f"{whole(n)} {noun if n == 1 else plural or noun + 's'}"


def whole(n: float) -> str:
    """Write a whole number, with a thin space between thousands.

    >>> whole(12345) == "12\N{NARROW NO-BREAK SPACE}345"
    True
    """
    return f"{int(n):,}".replace(",", "\N{NARROW NO-BREAK SPACE}") if math.isfinite(n) else NOTHING


def enumeration(words: "list[str] | tuple[str, ...]") -> str:
    """Join words as in a sentence.

    >>> enumeration(["heat", "rejection", "friends"])
    'heat, rejection and friends'
    """
    *first, last = words or [""]
    return f"{', '.join(first)} and {last}" if first else last
