"""Find the statistical maps of a data set with pybids."""

import logging
from pathlib import Path

from fmridecode.bids.contrast_map import ContrastMap
from fmridecode.bids.datasets import map_datasets
from fmridecode.bids.filters import read_filters, select
from fmridecode.bids.index import index_images
from fmridecode.bids.settings import InputConfig

__all__ = ["ContrastMap", "find_maps"]

log = logging.getLogger(__name__)


def find_maps(bids_dir: Path, config: InputConfig) -> list[ContrastMap]:
    """Return the maps that pass the filters, sorted by URI.

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
    chosen = select(entities, filters=filters, config=config, where=where)
    log.info("Found %d statistical maps in %s", len(chosen), where)
    return sorted((maps[i] for i in chosen), key=lambda each: each.uri)
