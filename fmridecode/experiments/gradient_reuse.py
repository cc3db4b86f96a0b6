"""Algorithm 1 as printed against one shared pass, by the interpretability they reach.

Printed, the direction of the noise comes from a second pass after the update; shared, from the
pass that updated the weights. The shared pass is the default only when this test shows no
difference that matters.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from fmridecode.core.models import Decoder
from fmridecode.core.statistics import paired_tests
from fmridecode.experiments.synthetic import NETWORKS, MethodScores, draw_images, explain, train
from fmridecode.experiments.synthetic_settings import SyntheticConfig
from fmridecode.experiments.synthetic_tables import CRITERIA, finite_mean

VARIANTS = {"literal": False, "reuse": True}
"""Whether the gradient is reused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReuseJob:
    """One seed and variant of Algorithm 1."""

    config: SyntheticConfig
    variant: str
    seed: int


def jobs(config: SyntheticConfig, seeds: Collection[int]) -> list[ReuseJob]:
    """Return both variants of every seed, trained by Algorithm 1."""
    config = config.with_recipe(training="adversarial")
    return [
        ReuseJob(config=config, variant=variant, seed=seed)
        for seed in seeds
        for variant in VARIANTS
    ]


def run(job: ReuseJob) -> MethodScores:
    """Train one decoder and score its gradient on the test images."""
    images = draw_images(job.config, job.seed)
    scores: list[MethodScores] = []

    def score_it(_: int, model: Decoder) -> None:
        scores.append(explain(model, images.test, job.variant, "gradient", seed=job.seed))

    recipe = replace(job.config.recipe, gradient_reuse=VARIANTS[job.variant])
    network = NETWORKS["adversarial"]
    train(images, network, recipe, seed=job.seed, when=[recipe.epochs], then=score_it)
    return scores[0]


def seeds_table(config: SyntheticConfig, scores: Sequence[MethodScores]) -> pd.DataFrame:
    """Return the mean score of both variants and their difference, per seed and criterion."""
    by_key = {(each.seed, each.method): each for each in scores}
    rows = []
    for seed in sorted({each.seed for each in scores}):
        for criterion in CRITERIA:
            literal, reuse = (
                finite_mean(by_key[seed, variant].criteria[criterion]) for variant in VARIANTS
            )
            rows.append(
                {
                    "preset": config.preset,
                    "seed": seed,
                    "criterion": criterion,
                    "literal": literal,
                    "reuse": reuse,
                    "difference": reuse - literal,
                }
            )
    return pd.DataFrame(rows)


def tested(table: pd.DataFrame) -> pd.DataFrame:
    """Test the difference over seeds, with its 95 % interval."""
    rows = []
    for criterion in CRITERIA:
        here = table[table["criterion"] == criterion]
        (test,) = paired_tests({name: here[name].to_numpy() for name in ("reuse", "literal")})
        spread = here["difference"].std() / np.sqrt(len(here))
        half = float(spread * stats.t.ppf(0.975, max(test.df, 1)))
        rows.append(
            {
                "preset": here["preset"].iloc[0],
                "criterion": criterion,
                "seeds": len(here),
                "literal": here["literal"].mean(),
                "reuse": here["reuse"].mean(),
                "difference": test.difference,
                "low": test.difference - half,
                "high": test.difference + half,
                "t": test.t,
                "df": test.df,
                "p": test.p,
            }
        )
    return pd.DataFrame(rows)
