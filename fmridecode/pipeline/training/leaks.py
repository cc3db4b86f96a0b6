"""Participants that a decoder saw under another name, and those that a data set has twice."""

import logging
from collections.abc import Collection, Mapping

import numpy as np

from fmridecode.bids.labels import listing
from fmridecode.core.fingerprints import (
    find_duplicates,
    map_prints,
    participant_print,
    salt_of,
)
from fmridecode.core.fingerprints import recognised as among
from fmridecode.core.maps import MapSet
from fmridecode.core.trained import TrainedDecoder

log = logging.getLogger(__name__)


def recognised(
    decoder: TrainedDecoder, maps: MapSet, participants: Collection[str]
) -> dict[str, str]:
    """Return the participants that trained or validated a decoder, with what gives them away.

    A participant is recognised by one map, or by the same label in a data set of the same name.
    """
    known = decoder.origin.fingerprints
    if not known.salt or not participants:
        return {}
    indices = maps.where(set(participants))
    prints = map_prints(maps.values, maps.mask, salt=known.salt, indices=indices)
    hits = indices[among(prints, known.maps)]
    found = {maps.examples[i].participant: "their maps" for i in hits}
    dataset = maps.origin.dataset
    labels = {participant_print(dataset, w, salt=known.salt): w for w in participants if dataset}
    for digest in labels.keys() & set(known.participants):
        found.setdefault(labels[digest], "their labels and the name of the data set")
    return found


def warn_of_seen(seen: Mapping[str, str], model: str) -> None:
    """Say loudly who was seen in training, by what each was recognised."""
    for why in dict.fromkeys(seen.values()):
        who = [f"sub-{each}" for each in seen if seen[each] == why]
        log.warning(
            "LEAK: %d participants trained %s, recognised by %s: %s. They are decoded, marked "
            "seen_in_training, and left out of all scores.",
            len(who),
            model,
            why,
            listing(who),
        )


def kept_together(maps: MapSet, families: Mapping[str, str], *, seed: int) -> dict[str, str]:
    """Return the families, with participants that have nearly the same map put into one.

    Such maps are one person under two labels, or a copy by mistake; in two folds they would
    leak. Each pair is named in a warning.
    """
    salt = salt_of(seed, "duplicates")
    pairs = find_duplicates(np.asarray(maps.values), maps.mask, maps.participants, salt=salt)
    joined = dict(families)
    examples = maps.examples
    for each in pairs:
        first, second = examples[each.first], examples[each.second]
        log.warning(
            "DUPLICATE: sub-%s (%s) and sub-%s (%s) have nearly the same map (r = %.4f). They are "
            "kept in the same part of every split, as a family; leave one out "
            "(--participant-label) if they are one person.",
            first.participant,
            ", ".join(first.sources),
            second.participant,
            ", ".join(second.sources),
            each.pearson_r,
        )
        one, other = first.participant, second.participant
        family = joined.get(one) or joined.get(other) or f"duplicate of sub-{one}"
        merged = {joined.get(one), joined.get(other)} - {None, ""}
        for who, name in list(joined.items()):
            if name in merged:
                joined[who] = family
        joined[one] = joined[other] = family
    return joined
