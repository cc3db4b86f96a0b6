"""The scores of a decoder of a number, for its model card."""

from pathlib import Path

from fmridecode.core.origin import Score
from fmridecode.errors import NoInputError
from fmridecode.pipeline.group.tables import collect
from fmridecode.pipeline.regression.endings import PREDICTIONS
from fmridecode.pipeline.regression.group import scorable
from fmridecode.pipeline.regression.scores import scores_table


def card_scores(root: Path, *, fold: int, data: str) -> tuple[Score, ...]:
    """Return the scores over participants of a run, or of one of its folds.

    Parameters
    ----------
    root
        OUTPUT_DIR.
    fold
        Whose; 0 for all.
    data
        What they were measured on, in words.

    Raises
    ------
    NoInputError
        Nobody was tested whose number is known.
    """
    predictions = scorable(collect(root, PREDICTIONS))
    if fold:
        predictions = predictions[predictions["fold"] == fold]
    if predictions.empty:
        raise NoInputError(f"{root} has no predictions to score: run the participant level.")
    table = scores_table(predictions, None, seed=0)
    own = table[(table["predictor"] == "decoder") & (table["unit"] == "participant")]
    return tuple(
        Score(
            data=data,
            metric=str(row["metric"]),
            estimate=float(row["estimate"]),
            ci_low=_finite(row["ci_low"]),
            ci_high=_finite(row["ci_high"]),
            n_participants=int(row["n_participants"]),
            n_maps=int(row["n_maps"]),
        )
        for row in own.to_dict("records")
        if row["estimate"] == row["estimate"]
    )


def _finite(value: float) -> float | None:
    return float(value) if value == value else None
