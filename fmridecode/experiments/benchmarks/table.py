"""The measurements as a table and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict

from fmridecode.experiments.benchmarks.comparison import Measured

_HEADER = ("what", "ours", "reference", "ratio", "floor", "peak, ours / reference")


def rows(measured: Sequence[Measured]) -> list[tuple[str, ...]]:
    """Return the rows in words, for a terminal or for Markdown."""
    return [
        (
            each.name,
            _seconds(each.ours_s),
            _seconds(each.reference_s),
            "–" if each.ratio is None else f"{each.ratio:.1f}x",
            _seconds(each.floor_s),
            " / ".join(map(_mebibytes, (each.peak_mb, each.reference_peak_mb))),
        )
        for each in measured
    ]


def markdown(measured: Sequence[Measured]) -> str:
    """Return a Markdown table."""
    lines = [_HEADER, ("---",) * len(_HEADER), *rows(measured)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_json(measured: Sequence[Measured]) -> str:
    """Return the list of measurements as JSON."""
    return json.dumps([asdict(each) for each in measured], indent=2)


def _seconds(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.0f} ms"


def _mebibytes(value: float | None) -> str:
    return "–" if value is None else f"{max(value, 0):.0f} MiB"
