"""Whole participants, families together, divided into training, validation and test."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from fmridecode.core.settings import SplitConfig
from fmridecode.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Which participants train a decoder, choose its epoch, and test it."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]

    def role(self, participant: str) -> str:
        """Return ``train``, ``validation``, ``test``, or an empty string for a stranger."""
        roles = {"train": self.train, "validation": self.validation, "test": self.test}
        return next((name for name, members in roles.items() if participant in members), "")


Groups = list[tuple[str, ...]]


def make_splits(
    participants: Sequence[str],
    config: SplitConfig,
    *,
    families: Mapping[str, str],
    generator: np.random.Generator,
) -> list[Split]:
    """Divide participants into the folds of a cross-validation, or one 80/10/10 % hold-out.

    Parameters
    ----------
    participants
        Labels; duplicates are ignored and the order does not matter.
    config
        Number of folds or hold-out, and the validation share.
    families
        The family of each participant; one missing here is a family alone.
    generator
        Source of the shuffling.

    Raises
    ------
    UsageError
        When there are too few families, or too unequal ones, for the folds or the hold-out.
    """
    groups = _groups(sorted(set(participants)), families, generator)
    needed = 3 if config.holdout else max(config.folds, 3)
    if len(groups) < needed:
        wanted = "--holdout" if config.holdout else f"--folds {config.folds}"
        raise UsageError(
            f"{len(groups)} independent participants (or families) for {wanted}, which needs at "
            f"least {needed}: add participants"
            + ("." if config.holdout or len(groups) < 3 else " or lower --folds.")
        )
    if config.holdout:
        return [_holdout(groups)]
    splits = [
        _fold(test, groups, config.validation_share, generator)
        for test in _deal(groups, config.folds)
    ]
    if not all(split.validation for split in splits):
        raise UsageError(
            f"--folds {config.folds} leaves only one family of {len(groups)} to train and "
            "validate on: raise --folds or add participants."
        )
    return splits


def _groups(
    participants: list[str], families: Mapping[str, str], generator: np.random.Generator
) -> Groups:
    members: dict[tuple[bool, str], list[str]] = defaultdict(list)
    for participant in participants:
        family = families.get(participant, "")
        members[(bool(family), family or participant)].append(participant)
    groups = [tuple(group) for group in members.values()]
    return [groups[i] for i in generator.permutation(len(groups))]


def _deal(groups: Groups, n_folds: int) -> list[Groups]:
    """Deal groups to folds of nearly equal numbers of participants, the largest first."""
    folds: list[Groups] = [[] for _ in range(n_folds)]
    for group in sorted(groups, key=len, reverse=True):
        min(folds, key=lambda fold: sum(map(len, fold))).append(group)
    return folds


def _flatten(groups: Groups) -> tuple[str, ...]:
    return tuple(sorted(label for group in groups for label in group))


def _take(groups: Groups, wanted: float, *, leave: int = 1) -> tuple[Groups, Groups]:
    """Take groups from the end until about ``wanted`` participants are taken; leave some."""
    rest, taken = list(groups), list[tuple[str, ...]]()
    while len(rest) > leave and (not taken or sum(map(len, taken)) + len(rest[-1]) / 2 < wanted):
        taken.append(rest.pop())
    return taken, rest


def _fold(
    test: Groups, groups: Groups, validation_share: float, generator: np.random.Generator
) -> Split:
    """Draw the validation groups of this fold from those it does not test."""
    remaining = [group for group in groups if group not in test]
    remaining = [remaining[i] for i in generator.permutation(len(remaining))]
    wanted = validation_share * sum(map(len, remaining))
    validation, train = _take(remaining, wanted)
    return Split(train=_flatten(train), validation=_flatten(validation), test=_flatten(test))


def _holdout(groups: Groups) -> Split:
    """Put the largest families in training and take test and validation from the smallest."""
    by_size = sorted(groups, key=len, reverse=True)
    share = 0.1 * sum(map(len, groups))
    test, rest = _take(by_size, share, leave=2)
    validation, train = _take(rest, share)
    return Split(train=_flatten(train), validation=_flatten(validation), test=_flatten(test))
