"""What can be set about the synthetic experiment.

Kept apart from the experiment so that ``--help`` need not import torch.
"""

from dataclasses import dataclass, field, replace
from typing import Literal

from fmridecode.core.settings import SaliencyConfig, TrainingConfig
from fmridecode.errors import UsageError

CLASSES = ("A", "B", "C")
SHAPE = (32, 32)

PresetName = Literal["paper", "authors"]
AttackName = Literal["pgd", "adversarial"]

ATTACK_STEPS: dict[AttackName, int] = {"pgd": 3, "adversarial": 4}
"""PGD steps of section 3.1, and the hops of Algorithm 1."""

RECIPE = TrainingConfig(
    scheme="pgd",
    epsilon=1 / 32,  # a ball of radius 1: there are 32 x 32 pixels
    pgd_step=1 / 32,
    steps=ATTACK_STEPS["pgd"],
    epochs=100,
    batch_size=0,
)
SMOOTHGRAD = SaliencyConfig(smoothgrad_sigma=0.3, smoothgrad_samples=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImagesConfig:
    """How many images there are, and how noisy.

    Parameters
    ----------
    train, validation, test
        Numbers of images.
    balanced
        Every part has equally many images of each class; otherwise one balanced pool is
        divided at random.
    noise_sd
        SD of the noise, where activation is 1.
    """

    train: int = 3000
    validation: int = 3000
    test: int = 3000
    balanced: bool = True
    noise_sd: float = 0.5

    def __post_init__(self) -> None:
        """Check every value."""
        for name in ("train", "validation", "test"):
            value = getattr(self, name)
            if value < len(CLASSES):
                raise UsageError(f"{name} = {value}: expected at least {len(CLASSES)} images.")
        if self.noise_sd < 0:
            raise UsageError(f"noise_sd = {self.noise_sd}: expected 0 or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticConfig:
    """The data and the recipe of the adversarially trained network.

    Parameters
    ----------
    preset
        What the settings started from.
    images
        The data.
    recipe
        Training of the adversarial network; the others share its length, L2 and learning rate.
        An epoch is one update, or one hop.
    """

    preset: PresetName = "paper"
    images: ImagesConfig = field(default_factory=ImagesConfig)
    recipe: TrainingConfig = RECIPE

    def with_recipe(
        self,
        *,
        training: AttackName | None = None,
        l2: float | None = None,
        updates: int | None = None,
    ) -> "SyntheticConfig":
        """Return a copy in which what is not None is replaced."""
        recipe = self.recipe
        if training is not None:
            recipe = replace(recipe, scheme=training, steps=ATTACK_STEPS[training])
        if l2 is not None:
            recipe = replace(recipe, l2=l2)
        if updates is not None:
            recipe = replace(recipe, epochs=updates)
        return replace(self, recipe=recipe)


PRESETS: dict[PresetName, SyntheticConfig] = {
    "paper": SyntheticConfig(),
    "authors": SyntheticConfig(
        preset="authors",
        images=ImagesConfig(train=8800, validation=100, test=100, balanced=False),
        recipe=replace(RECIPE, l2=0.0, project_each_step=False, clean_every_second=True),
    ),
}
