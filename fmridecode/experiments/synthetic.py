"""The synthetic experiment of the paper (section 3.1): seven methods against known templates.

Decoders are the ones after the last update: the paper trains for a fixed number of full-batch
updates, and no validation image picks an earlier one.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from fmridecode.core.batches import Batches
from fmridecode.core.criteria import score
from fmridecode.core.fit import fit
from fmridecode.core.models import Decoder, build
from fmridecode.core.noise import normalise
from fmridecode.core.saliency import METHODS as SALIENCY
from fmridecode.core.settings import ModelConfig, TrainingConfig
from fmridecode.core.training import passes
from fmridecode.experiments.synthetic_settings import (
    CLASSES,
    SHAPE,
    SMOOTHGRAD,
    SyntheticConfig,
)
from fmridecode.experiments.templates import Images, draw, truth


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """One of the decoders that are compared, and the saliency methods read from it.

    ``scheme`` None means the recipe's own, adversarial one; ``methods`` maps the experiment's
    names to those of `fmridecode.core.saliency.METHODS`.
    """

    architecture: Literal["linear", "dense"]
    scheme: Literal["standard", "random-noise"] | None
    methods: dict[str, str]


NETWORKS: dict[str, Network] = {
    "linear": Network(
        architecture="linear",
        scheme="standard",
        methods={"weights": "weights", "linear-gradient": "gradient"},
    ),
    "nn": Network(
        architecture="dense",
        scheme="standard",
        methods={
            "nn-gradient": "gradient",
            "gradient-x-input": "gradient-x-input",
            "smoothgrad": "smoothgrad",
        },
    ),
    "random-noise": Network(
        architecture="dense", scheme="random-noise", methods={"random-noise": "gradient"}
    ),
    "adversarial": Network(architecture="dense", scheme=None, methods={"adversarial": "gradient"}),
}

METHODS: tuple[str, ...] = tuple(
    method for network in NETWORKS.values() for method in network.methods
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodScores:
    """What one method says about all images of a part, for one seed.

    Parameters
    ----------
    method, seed
        Which.
    accuracy
        Of the decoder, on the same images.
    labels
        ``(images,)`` true classes.
    pearson_r
        ``(images, classes)``: column k against the truth for class k's map, which is the CIA
        where k is the true class and an addend of the CAD elsewhere.
    mean_maps
        ``(true class, class, *grid)``: saliency of every class, each map scaled to unit norm as
        a correlation does, averaged over the images of every true class.
    """

    method: str
    seed: int
    accuracy: float
    labels: NDArray[np.int64]
    pearson_r: NDArray[np.float64]
    mean_maps: NDArray[np.float64]

    @property
    def criteria(self) -> dict[str, NDArray[np.float64]]:
        """CIA and CAD of every image."""
        own = np.arange(len(CLASSES)) == self.labels[:, None]
        others = self.pearson_r[~own].reshape(-1, len(CLASSES) - 1)
        return {"CIA": self.pearson_r[own], "CAD": others.mean(axis=1)}


def draw_images(config: SyntheticConfig, seed: int) -> Images:
    """Draw the data of a seed."""
    return draw(config.images, generator=np.random.default_rng(seed))


def train(
    images: Images,
    network: Network,
    recipe: TrainingConfig,
    *,
    seed: int,
    when: Collection[int],
    then: Callable[[int, Decoder], None],
) -> None:
    """Train a decoder and call ``then(updates, decoder)`` after these numbers of updates.

    All networks of one architecture and seed start from the same weights.
    """
    if network.scheme is not None:
        recipe = replace(recipe, scheme=network.scheme)
    generator = torch.Generator().manual_seed(seed)
    config = ModelConfig(architecture=network.architecture)
    mask = torch.ones(SHAPE, dtype=torch.bool)
    model = build(config, mask, len(CLASSES), generator=generator)
    due = {passes(replace(recipe, epochs=updates)): updates for updates in when}
    fit(
        model,
        images.train,
        images.validation,
        replace(recipe, epochs=max(when)),
        n_outputs=len(CLASSES),
        generator=generator,
        on_epoch=lambda epoch: (
            then(due[epoch.epoch + 1], model) if epoch.epoch + 1 in due else None
        ),
    )


def explain(
    model: Decoder, part: Batches, method: str, saliency: str, *, seed: int
) -> MethodScores:
    """Score one saliency method on a part of the images, at temperature 1.

    ``method`` is the name in the tables, ``saliency`` the one in
    `fmridecode.core.saliency.METHODS`.
    """
    generator = torch.Generator().manual_seed(seed)
    x, labels = part.take(slice(None))
    found = SALIENCY[saliency](model, x, 1.0, SMOOTHGRAD, generator=generator).maps
    with torch.no_grad():
        accuracy = float((model(x).argmax(dim=1) == labels).double().mean())
    pearson_r = np.full((len(x), len(CLASSES)), np.nan)
    known = truth()
    for image, (maps, label) in enumerate(
        zip(found.flatten(2).numpy(), labels.tolist(), strict=True)
    ):
        for alignment in score(maps, label, known):
            pearson_r[image, alignment.target] = alignment.pearson_r
    unit = normalise(found.flatten(0, 1)).reshape(found.shape).double()
    means = [unit[labels == k].mean(dim=0).numpy() for k in range(len(CLASSES))]
    return MethodScores(
        method=method,
        seed=seed,
        accuracy=accuracy,
        labels=labels.numpy(),
        pearson_r=pearson_r,
        mean_maps=np.stack(means),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One decoder to train and to explain; jobs do not share state."""

    config: SyntheticConfig
    network: str
    seed: int


def run(job: Job) -> list[MethodScores]:
    """Train the decoder of a job and score its methods on the test images."""
    images = draw_images(job.config, job.seed)
    network = NETWORKS[job.network]
    scores: list[MethodScores] = []

    def score_all(_: int, model: Decoder) -> None:
        for method, saliency in network.methods.items():
            scores.append(explain(model, images.test, method, saliency, seed=job.seed))

    recipe = job.config.recipe
    train(images, network, recipe, seed=job.seed, when=[recipe.epochs], then=score_all)
    return scores


def jobs(config: SyntheticConfig, seeds: Collection[int]) -> list[Job]:
    """Return every decoder to train, the slowest first."""
    return [
        Job(config=config, network=network, seed=seed)
        for network in reversed(NETWORKS)
        for seed in seeds
    ]
