"""The images of the synthetic experiment (section 3.1): nine squares that three classes share."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from fmridecode.core.batches import Batches
from fmridecode.core.truth import ClassMaps
from fmridecode.experiments.synthetic_settings import CLASSES, SHAPE, ImagesConfig

SIDE = 3

LAYOUT = {
    7: {7: "A", 15: "B", 23: "C"},
    15: {7: "AB", 15: "BC", 23: "AC"},
    23: {7: "ABC", 15: "ABC", 23: "ABC"},
}
"""First row and first column of each square, and the classes in which it is active."""


def templates() -> NDArray[np.float32]:
    """Return the activation of each class, ``(classes, rows, columns)``: 1 in its squares."""
    active = np.zeros((len(CLASSES), *SHAPE), dtype=np.float32)
    for row, squares in LAYOUT.items():
        for column, names in squares.items():
            for name in names:
                square = np.s_[row : row + SIDE, column : column + SIDE]
                active[CLASSES.index(name)][square] = 1
    return active


def truth() -> ClassMaps:
    """Return the templates as what saliency should resemble."""
    values = templates().reshape(len(CLASSES), -1).astype(np.float64)
    return ClassMaps(values=values, present=np.ones(len(CLASSES), dtype=bool))


@dataclass(frozen=True, slots=True, kw_only=True)
class Images:
    """One draw of the experiment's data; images are not z-scored."""

    train: Batches
    validation: Batches
    test: Batches


def draw(config: ImagesConfig, *, generator: np.random.Generator) -> Images:
    """Draw templates plus white noise, and divide them."""
    n = config.train + config.validation + config.test
    labels = np.arange(n) % len(CLASSES)
    if not config.balanced:
        labels = generator.permutation(labels)
    noise = generator.standard_normal((n, *SHAPE), dtype=np.float32)
    values = templates()[labels] + np.float32(config.noise_sd) * noise
    cuts = (config.train, config.train + config.validation)
    train, validation, test = (
        Batches(values=values, labels=labels, indices=part, device=torch.device("cpu"))
        for part in np.split(np.arange(n), cuts)
    )
    return Images(train=train, validation=validation, test=test)
