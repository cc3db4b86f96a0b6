"""What the epochs of a training came to, and whether robustness collapsed on the way."""

import math
from dataclasses import dataclass

BEYOND_CHANCE = 3.5
"""Standard errors that accuracy under attack has to fall to be called a collapse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Epoch:
    """What one pass over the training maps came to.

    ``validation_score`` is the accuracy on the validation maps, or R2 where a number is decoded;
    ``robust_score`` is that of PGD-20 at the training bound, NaN for schemes without an attack.
    """

    epoch: int
    train_loss: float
    validation_loss: float
    validation_score: float
    robust_score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All epochs of one training, and the one whose weights were kept.

    ``n_attacked`` is the number of validation maps behind each robust score.
    """

    epochs: tuple[Epoch, ...]
    selected: int
    n_attacked: int

    @property
    def collapsed(self) -> bool:
        """Whether catastrophic overfitting (E. Wong et al. 2020, arXiv:2001.03994) set in.

        Only of scores that are accuracies.

        The kept epoch's accuracy under attack is below half of the best epoch's, by more than
        `BEYOND_CHANCE` standard errors of the difference, and its clean accuracy fell by less
        than half as much. The margin covers that the best is the best of many.
        """
        best = max(self.epochs, key=lambda each: each.robust_score)
        kept = self.epochs[self.selected]
        lost = best.robust_score - kept.robust_score
        pooled = (best.robust_score + kept.robust_score) / 2
        standard_error = math.sqrt(2 * pooled * (1 - pooled) / max(self.n_attacked, 1))
        return (
            kept.robust_score < best.robust_score / 2
            and lost > BEYOND_CHANCE * standard_error
            and best.validation_score - kept.validation_score < lost / 2
        )
