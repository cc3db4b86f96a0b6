"""What a decoder remembers of its training maps: fingerprints, and what they usually are like."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fmridecode.core.fingerprints import as_hexadecimal, map_prints, participant_print, salt_of
from fmridecode.core.maps import MapSet
from fmridecode.core.origin import Fingerprints, Origin
from fmridecode.core.splits import Split
from fmridecode.core.typicality import Statistics, fwhm, usual

MOST = 1000
"""Maps, at most, of which simple statistics are taken; a median needs no more."""


def remembered(maps: MapSet, split: Split, *, seed: int) -> Origin:
    """Return the data set's origin with what is to be kept of the maps that train a decoder.

    Parameters
    ----------
    maps
        All maps.
    split
        Who trains and validates; both are kept, for both chose what the decoder is.
    seed
        Part of the salt, together with all participants, so that the folds of a run share it.
    """
    dataset = maps.origin.dataset
    salt = salt_of(seed, dataset, *sorted((*split.train, *split.validation, *split.test)))
    indices = maps.where({*split.train, *split.validation})
    who = {maps.examples[i].participant for i in indices} if dataset else set()
    return replace(
        maps.origin,
        usual=usual(statistics(maps, indices[:: math.ceil(len(indices) / MOST)])),
        fingerprints=Fingerprints(
            salt=salt,
            maps=as_hexadecimal(map_prints(maps.values, maps.mask, salt=salt, indices=indices)),
            participants=tuple(sorted(participant_print(dataset, w, salt=salt) for w in who)),
        ),
    )


def statistics(maps: MapSet, indices: Sequence[int] | NDArray[np.int64]) -> Statistics:
    """Return the simple statistics of some maps, by name; see `FLOORS`."""
    sizes = np.linalg.norm(maps.grid.matrix[:3, :3], axis=0).tolist()
    examples = [maps.examples[i] for i in indices]
    sd = np.array([each.sd for each in examples])
    with np.errstate(divide="ignore", invalid="ignore"):
        log10_sd = np.log10(sd)
    return {
        "log10_sd": np.where(np.isfinite(log10_sd), log10_sd, np.nan),
        "fwhm": np.array([fwhm(maps.values[i], maps.mask, sizes) for i in indices]),
        "negative": np.array([each.negative for each in examples]),
        "overlap": 1 - np.array([each.missing for each in examples]),
    }
