"""What can be set about who trains, validates and tests."""

from dataclasses import dataclass

from fmridecode.core.settings.checks import require
from fmridecode.options import option

SPLIT = "Cross-validation"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitConfig:
    """Which participants train, choose the epoch, and test."""

    folds: int = option(
        5,
        "--folds",
        help="Folds of the cross-validation over participants.",
        panel=SPLIT,
        metavar="N",
    )
    holdout: bool = option(
        False,
        "--holdout/--no-holdout",
        help="One split of 80/10/10 % instead, as the paper.",
        panel=SPLIT,
    )
    group_column: str = option(
        "",
        "--group-column",
        help="Column of participants.tsv whose groups (families) stay together.",
        panel=SPLIT,
        metavar="NAME",
    )
    validation_share: float = option(
        0.2,
        "--validation-share",
        help="Share of a fold's training participants that choose the epoch and the temperature.",
        panel=SPLIT,
    )

    def __post_init__(self) -> None:
        require(self.folds >= 2, "--folds", self.folds, "2 or more")
        require(
            0 < self.validation_share < 1,
            "--validation-share",
            self.validation_share,
            "a share between 0 and 1",
        )
