"""Where a trained decoder comes from: what its user must know besides its weights."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One measured number of a decoder.

    Parameters
    ----------
    data
        The maps it was measured on, in words.
    metric
        As in ``group_desc-decoding_metrics.tsv``.
    estimate, ci_low, ci_high
        The value, and its interval where there is one.
    n_participants, n_maps
        How many it is over.
    """

    data: str
    metric: str
    estimate: float
    ci_low: float | None = None
    ci_high: float | None = None
    n_participants: int
    n_maps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What a simple statistic of a map usually is in the training maps: median and spread.

    ``spread`` is 1.4826 times the median absolute deviation, the SD where values are normal.
    """

    statistic: str
    median: float
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprints:
    """Salted digests of what trained a decoder; see `fmridecode.core.fingerprints`.

    Parameters
    ----------
    salt
        Hexadecimal; fingerprints of two salts cannot be compared.
    maps
        One for every map that trained or validated, hexadecimal, sorted.
    participants
        One for every participant of it, hexadecimal, sorted.
    """

    salt: str = ""
    maps: tuple[str, ...] = ()
    participants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a stranger must know of a decoder; empty where it is not known.

    Parameters
    ----------
    title, description, limits
        For the model card: a heading, and plain sentences of what it is and is not for.
    dataset, authors, licence
        Name, authors and licence of the data set that trained it.
    stat
        The statistic of its maps, such as ``z``.
    definitions
        Which maps make each class, in words, in the order of the classes.
    scores
        What was measured.
    usual
        Statistics of the training maps.
    fingerprints
        By which training maps are recognised.
    """

    title: str = ""
    description: str = ""
    limits: str = ""
    dataset: str = ""
    authors: tuple[str, ...] = ()
    licence: str = ""
    stat: str = ""
    definitions: tuple[str, ...] = ()
    scores: tuple[Score, ...] = ()
    usual: tuple[Usual, ...] = ()
    fingerprints: Fingerprints = field(default_factory=Fingerprints)


def merged(origins: Sequence[Origin]) -> Origin:
    """Return the origin of decoders that are averaged: what any of them saw, all of them saw.

    Medians and spreads are averaged. Fingerprints of another salt than the first's cannot be
    kept, and scores of one decoder are not those of the mean.
    """
    first = origins[0]
    prints = [o.fingerprints for o in origins if o.fingerprints.salt == first.fingerprints.salt]
    return replace(
        first,
        scores=(),
        usual=tuple(
            Usual(
                statistic=each.statistic,
                median=_mean([u.median for o in origins for u in o.usual if _same(u, each)]),
                spread=_mean([u.spread for o in origins for u in o.usual if _same(u, each)]),
            )
            for each in first.usual
        ),
        fingerprints=Fingerprints(
            salt=first.fingerprints.salt,
            maps=tuple(sorted({m for p in prints for m in p.maps})),
            participants=tuple(sorted({w for p in prints for w in p.participants})),
        ),
    )


def _same(a: Usual, b: Usual) -> bool:
    return a.statistic == b.statistic


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
