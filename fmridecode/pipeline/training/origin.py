"""What the data set says of itself, for the model cards of the decoders that it trains."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fmridecode.bids.class_file import read_classes
from fmridecode.bids.datasets import map_datasets
from fmridecode.bids.plan import Plan
from fmridecode.config import RunConfig
from fmridecode.core.maps import MapClass
from fmridecode.core.origin import Origin

_LONGEST = 1000


def origin_of(bids_dir: Path, config: RunConfig, plan: Plan) -> Origin:
    """Return name, authors and licence of the data sets with the maps, and what the classes are.

    Parameters
    ----------
    bids_dir
        The data set; those of ``--derivatives`` go before it.
    config
        The run's settings.
    plan
        The classes, and the statistic of the maps.
    """
    described = [_description(path) for path in map_datasets(bids_dir, config.input).values()]
    return Origin(
        dataset="; ".join(dict.fromkeys(filter(None, (_text(d.get("Name")) for d in described)))),
        authors=tuple(dict.fromkeys(a for d in described for a in _texts(d.get("Authors")))),
        licence="; ".join(
            dict.fromkeys(filter(None, (_text(d.get("License")) for d in described)))
        ),
        stat=plan.stat,
        definitions=_definitions(config, plan.classes),
    )


def _definitions(config: RunConfig, classes: Iterable[MapClass]) -> tuple[str, ...]:
    if config.input.classes:
        defined = {each.name: each for each in read_classes(config.input.classes)}
        return tuple(
            " and ".join(
                ("" if part.weight == 1 else f"{part.weight:g} times ") + str(part)
                for part in defined[each.name].parts
            )
            for each in classes
        )
    return tuple(
        ", ".join(
            f"{key} {label}"
            for key, label in (("task", each.task), ("contrast", each.contrast))
            if label
        )
        for each in classes
    )


def _description(path: Path) -> dict[str, Any]:
    try:
        content = json.loads((path / "dataset_description.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _texts(value: object) -> list[str]:
    return list(filter(None, map(_text, value))) if isinstance(value, list) else []


def _text(value: object) -> str:
    """Return one printable line of text, empty where there is none."""
    if not isinstance(value, str):
        return ""
    return "".join(c if c.isprintable() else " " for c in value[:_LONGEST]).strip()
