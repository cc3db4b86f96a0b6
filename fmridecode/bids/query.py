"""Find the statistical maps of a data set with pybids."""

import logging
from dataclasses import dataclass
from pathlib import Path

from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.datasets import map_datasets
from fmridecode.bids.filters import read_filters, select
from fmridecode.bids.index import index_images
from fmridecode.bids.settings import InputConfig

__all__ = ["ContrastMap", "Found", "find_maps", "look_for_maps"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The images of the data sets, sorted by URI.

    Parameters
    ----------
    maps
        Those that pass the filters.
    left_out
        The others, with the reason.
    """

    maps: tuple[ContrastMap, ...]
    left_out: tuple[tuple[ContrastMap, str], ...]


def find_maps(bids_dir: Path, config: InputConfig) -> list[ContrastMap]:
    """Return the maps that pass the filters; see `look_for_maps`."""
    return list(look_for_maps(bids_dir, config).maps)


def look_for_maps(bids_dir: Path, config: InputConfig) -> Found:
    """Return the maps that pass the filters, and why the other images do not.

    Raises
    ------
    NoInputError, InvalidBIDSError
        See `fmridecode.bids.datasets.map_datasets`.
    NothingMatchedError
        No map is there, or none passes; the message says what is there and which option matches.
    UsageError
        The filter file is not what it should be.
    """
    filters = read_filters(config.bids_filter_file)
    maps: list[ContrastMap] = []
    entities: list[dict[str, str]] = []
    datasets = map_datasets(bids_dir, config)
    for name, root in datasets.items():
        for path, found in index_images(root, config.bids_database_dir).items():
            uri = f"bids:{name}:{path.relative_to(root).as_posix()}"
            maps.append(ContrastMap.from_entities(path, uri=uri, entities=found))
            entities.append(found)
    where = bids_dir if len(datasets) > 1 else next(iter(datasets.values()))
    chosen, why = select(entities, filters=filters, config=config, where=where)
    log.info("Found %d statistical maps in %s", len(chosen), where)
    left_out = [(maps[i], reason) for i, reason in why.items()]
    return Found(
        maps=tuple(sorted((maps[i] for i in chosen), key=lambda each: each.uri)),
        left_out=tuple(sorted(left_out, key=lambda each: each[0].uri)),
    )
