"""What the name of a statistical map says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_OWN = ("subject", "session", "run", "task", "contrast", "taskcontrast", "stat", "space", "node")
_SAID_ELSEWHERE = ("suffix", "datatype")


@dataclass(frozen=True, slots=True, kw_only=True)
class ContrastMap:
    """One statistical map and what its name says.

    All labels stand without their key; empty where the name has none.

    Parameters
    ----------
    path
        The image; of a pair, the ``.img``.
    uri
        BIDS URI, ``bids:NAME:path``, with NAME as in `fmridecode.bids.datasets.map_datasets`.
    contrast
        From ``contrast-``, or HALFpipe's ``taskcontrast-``.
    node
        FitLins' level of the model.
    others
        Every other entity with its value, sorted by name, the extension included.
    """

    path: Path
    uri: str
    participant: str
    session: str = ""
    run: str = ""
    task: str = ""
    contrast: str = ""
    stat: str = ""
    space: str = ""
    node: str = ""
    others: tuple[tuple[str, str], ...] = ()

    @classmethod
    def from_entities(cls, path: Path, *, uri: str, entities: Mapping[str, str]) -> "ContrastMap":
        """Make a map from the entities that pybids read off its path."""
        others = {k: v for k, v in entities.items() if k not in (*_OWN, *_SAID_ELSEWHERE)}
        return cls(
            path=path,
            uri=uri,
            participant=entities.get("subject", ""),
            session=entities.get("session", ""),
            run=entities.get("run", ""),
            task=entities.get("task", ""),
            contrast=entities.get("contrast", "") or entities.get("taskcontrast", ""),
            stat=entities.get("stat", ""),
            space=entities.get("space", ""),
            node=entities.get("node", ""),
            others=tuple(sorted(others.items())),
        )
