"""Where adversarial training wins, and where plain L2 does the same job.

The synthetic experiment (preset ``paper``) over the L2 coefficient and the number of updates, and
beyond the grid a search for adversarial settings that beat the best-tuned L2. Settings are
chosen on validation images and reported on test images.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd

from fmridecode.core.models import Decoder
from fmridecode.core.settings import TrainingConfig
from fmridecode.core.statistics import paired_tests
from fmridecode.experiments.synthetic import NETWORKS, draw_images, explain, train
from fmridecode.experiments.synthetic_settings import RECIPE, SHAPE, ImagesConfig, SyntheticConfig
from fmridecode.experiments.synthetic_tables import CRITERIA, finite_mean, standard_error

EXPLAINED = ("linear-gradient", "nn-gradient", "smoothgrad", "adversarial")
"""The methods compared, each at its own best L2."""

IMAGES = ImagesConfig(train=3000, validation=300, test=600)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One way to train one network.

    Parameters
    ----------
    network
        Key of `fmridecode.experiments.synthetic.NETWORKS`.
    l2
        Coefficient of the sum of squared weights.
    radius
        Bound and step of the attack as an L2 norm, adversarial network only. Two templates are 6
        apart.
    in_grid
        Part of the grid, or of the search beyond it.
    """

    network: str
    l2: float
    radius: float = 1.0
    in_grid: bool = True

    def recipe(self, start: TrainingConfig) -> TrainingConfig:
        """Return the training this setting makes of a recipe."""
        epsilon = self.radius / SHAPE[0]
        return replace(start, l2=self.l2, epsilon=epsilon, pgd_step=epsilon)


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepConfig:
    """The grid, the search, and the data.

    Parameters
    ----------
    l2s, updates
        The grid. Networks are trained once, for the most updates, and explained on the way.
    search_l2s
        Larger coefficients for the networks without an attack.
    search
        ``(radius, l2)`` of more adversarial settings.
    images, recipe
        As in the experiment, with fewer images to choose and to test on.
    """

    l2s: tuple[float, ...] = (0.0, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
    updates: tuple[int, ...] = (100, 300, 1000)
    search_l2s: tuple[float, ...] = (0.3, 1.0)
    search: tuple[tuple[float, float], ...] = (
        (0.5, 0.1),
        (0.5, 0.3),
        (1.0, 0.3),
        (2.0, 0.0),
        (2.0, 0.1),
        (3.0, 0.0),
    )
    images: ImagesConfig = IMAGES
    recipe: TrainingConfig = RECIPE

    @property
    def settings(self) -> list[Setting]:
        """All that is trained for every seed, the slowest first."""
        plain = ("nn", "linear")
        return [
            *(
                Setting(network="adversarial", l2=l2, radius=radius, in_grid=False)
                for radius, l2 in self.search
            ),
            *(Setting(network="adversarial", l2=l2) for l2 in self.l2s),
            *(Setting(network=name, l2=l2) for name in plain for l2 in self.l2s),
            *(
                Setting(network=name, l2=l2, in_grid=False)
                for name in plain
                for l2 in self.search_l2s
            ),
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepJob:
    """One setting and seed."""

    config: SweepConfig
    setting: Setting
    seed: int


def jobs(config: SweepConfig, seeds: Collection[int]) -> list[SweepJob]:
    """Return every decoder to train."""
    return [
        SweepJob(config=config, setting=setting, seed=seed)
        for setting in config.settings
        for seed in seeds
    ]


def run(job: SweepJob) -> pd.DataFrame:
    """Train one decoder and score it after each of the grid's numbers of updates."""
    config, network = job.config, NETWORKS[job.setting.network]
    images = draw_images(SyntheticConfig(images=config.images), job.seed)
    rows: list[dict[str, object]] = []

    def score_all(updates: int, model: Decoder) -> None:
        for method in EXPLAINED:
            if method not in network.methods:
                continue
            chosen, reported = (
                explain(model, part, method, network.methods[method], seed=job.seed)
                for part in (images.validation, images.test)
            )
            rows.extend(
                {
                    "method": method,
                    **asdict(job.setting),
                    "updates": updates,
                    "seed": job.seed,
                    "criterion": criterion,
                    "validation": finite_mean(chosen.criteria[criterion]),
                    "test": finite_mean(reported.criteria[criterion]),
                    "accuracy": reported.accuracy,
                }
                for criterion in CRITERIA
            )

    recipe = job.setting.recipe(config.recipe)
    train(images, network, recipe, seed=job.seed, when=config.updates, then=score_all)
    return pd.DataFrame(rows).drop(columns="network")


def sweep_table(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the scores of all jobs, one row per setting, seed and criterion, in a fixed order."""
    order = ["method", "in_grid", "radius", "l2", "updates", "seed", "criterion"]
    table = pd.concat(tables, ignore_index=True)
    table = table[[*order, "validation", "test", "accuracy"]]
    table.loc[table["method"] != "adversarial", "radius"] = np.nan
    table["place"] = table["method"].map(EXPLAINED.index)
    ascending = [True, False, True, True, True, True, False]
    table = table.sort_values(["place", *order[1:]], ascending=ascending, ignore_index=True)
    return table.drop(columns="place")


def selection(table: pd.DataFrame) -> pd.DataFrame:
    """Return for every method the setting chosen on validation images, with its test scores.

    The choice maximises the mean of CIA and CAD over the validation images of all seeds; a setting
    with an undefined score is not chosen. Every method is compared with the NN gradient at the L2
    chosen for it, by a paired t-test over seeds (no correction; NaN for one seed).
    """
    keys = ["radius", "l2", "updates"]
    best = {}
    for method in EXPLAINED:
        here = table[table["method"] == method]
        means = here.groupby(keys, dropna=False)["validation"].agg(
            lambda each: each.mean(skipna=False)
        )
        chosen = here.set_index(keys).loc[[means.idxmax()]].reset_index()
        best[method] = chosen.sort_values("seed")
    rows = []
    for method, chosen in best.items():
        for criterion in CRITERIA:
            scores = {
                name: each.loc[each["criterion"] == criterion, "test"].to_numpy()
                for name, each in ((method, chosen), ("plain", best["nn-gradient"]))
            }
            (test,) = paired_tests(scores)
            rows.append(
                {
                    "method": method,
                    **chosen[keys].iloc[0].to_dict(),
                    "criterion": criterion,
                    "test_mean": finite_mean(scores[method]),
                    "test_standard_error": standard_error(scores[method]),
                    "seeds": len(scores[method]),
                    "minus_best_l2": test.difference,
                    "t": test.t,
                    "p": test.p,
                }
            )
    return pd.DataFrame(rows).astype({"updates": int})
