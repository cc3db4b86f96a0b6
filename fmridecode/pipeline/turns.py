"""Which decoder decodes whom: one turn for every decoder, so that one is loaded at a time."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from fmridecode.bids.labels import listing
from fmridecode.bundles.bundle import Bundle
from fmridecode.config import RunConfig
from fmridecode.core.maps import MapSet
from fmridecode.pipeline.training.baseline import has_baseline
from fmridecode.pipeline.training.choose import resolved
from fmridecode.pipeline.training.folds import Folds, check_same_voxels
from fmridecode.pipeline.training.permuted import has_permuted

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherFold:
    """The decoder of another fold, and whether it was trained or validated on a participant."""

    bundle: Bundle
    seen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A decoder and those that it decodes.

    Parameters
    ----------
    bundle
        The decoder.
    fold
        Its fold, from 1; None for a decoder of no fold.
    participants
        Whom it decodes.
    seen
        Those of them whose maps trained or validated it.
    config
        The settings by which it explains.
    baseline
        The linear decoder of the same fold to compare with, if there is one.
    folds
        The decoders of all folds, for comparing maps between them; None where there are none.
    permuted
        The decoder of the same fold that was trained on permuted labels, if there is one.
    """

    bundle: Bundle
    fold: int | None
    participants: tuple[str, ...]
    seen: frozenset[str]
    config: RunConfig
    baseline: Bundle | None = None
    folds: Folds | None = None
    permuted: Bundle | None = None

    def other_folds(self, participant: str, *, device: torch.device) -> Iterator[OtherFold]:
        """Yield the decoders of the other folds, and whether each has seen a participant.

        Their maps may be compared; what they say of a participant that they have seen is no score.
        """
        if self.folds is None or self.fold is None:
            return
        for fold, split in enumerate(self.folds.splits, start=1):
            if fold != self.fold:
                seen = split.role(participant) in ("train", "validation")
                yield OtherFold(bundle=self.folds.load(fold, device=device), seen=seen)


def turns_of_folds(
    config: RunConfig,
    folds: Folds,
    maps: MapSet,
    participants: Sequence[str],
    families: Mapping[str, str],
    device: torch.device,
) -> tuple[Iterator[Turn], dict[str, str]]:
    """Give each participant to the fold that has not seen the person.

    Returns
    -------
    tuple
        The turns, and participants that are not decoded, with the reason.
    """
    skipped: dict[str, str] = {}
    by_fold: dict[int, list[str]] = {}
    for participant in participants:
        fold = folds.testing(participant, families)
        if fold is None:
            skipped[participant] = "its maps, or its family's, trained the decoder (--holdout)"
        else:
            by_fold.setdefault(fold, []).append(participant)
    if skipped:
        log.info(
            "%d participants are not decoded, for their maps trained the decoder (--holdout): %s",
            len(skipped),
            listing(skipped),
        )
    return _turns(config, folds, maps, by_fold, device), skipped


def _turns(
    config: RunConfig,
    folds: Folds,
    maps: MapSet,
    by_fold: Mapping[int, Sequence[str]],
    device: torch.device,
) -> Iterator[Turn]:
    compared = has_baseline(config)
    for fold, members in sorted(by_fold.items()):
        bundle = folds.load(fold, device=device)
        check_same_voxels(bundle, maps)
        split = folds.splits[fold - 1]
        yield Turn(
            bundle=bundle,
            fold=fold,
            participants=tuple(members),
            seen=frozenset(who for who in members if split.role(who) in ("train", "validation")),
            config=resolved(config, folds, fold),
            baseline=folds.baseline().load(fold, device=device) if compared else None,
            folds=folds,
            permuted=folds.permuted().load(fold, device=device) if has_permuted(config) else None,
        )
