"""What a decoder is trained for: a loss of its outputs, and what an attack raises.

An attack raises the loss itself, so that one forward and one backward pass give both the gradient
of the weights and the direction of the attack, as in Algorithm 1.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from fmridecode.core.batches import soft_labels
from fmridecode.core.gaussian import (
    N_OUTPUTS,
    likelihood_gradient,
    moments,
    negative_log_likelihood,
)
from fmridecode.core.maps import UNKNOWN, MapSet
from fmridecode.errors import UsageError
from fmridecode.shapes import Labels, Numbers, Outputs, PerExample, Targets


class Classification:
    """Classes, told apart by softmax; the score is the accuracy."""

    score = "accuracy"
    """What the sum of `gains` over that of `most` is, as a table names it."""

    def n_outputs(self, n_classes: int) -> int:
        """Return how many outputs a decoder has: one for each class."""
        return n_classes

    def targets(self, labels: Labels | Numbers, n_outputs: int, *, dtype: torch.dtype) -> Targets:
        """Return what the outputs are held against: one-hot rows."""
        return soft_labels(labels, n_outputs, dtype=dtype)

    def loss(self, outputs: Outputs, targets: Targets) -> Tensor:
        """Return the cross-entropy, summed over examples."""
        return functional.cross_entropy(outputs, targets, reduction="sum")

    def validation_loss(self, outputs: Outputs, targets: Targets) -> Tensor:
        """Return what the best epoch has the least of: the cross-entropy."""
        return self.loss(outputs, targets)

    def upward(self, outputs: Outputs, targets: Labels | Numbers | Targets) -> Outputs:
        """Return the cross-entropy's gradient p - y, up to a positive factor per example.

        The gradients of p and of log p differ by a positive factor, so this is also the direction
        that lowers the probability of the true class.

        Formed without the difference, which is 0 in float32 for a confident decoder: an attack
        that stops there would mistake confidence for robustness.
        """
        n_classes = outputs.shape[1]
        if targets.ndim == 1:
            targets = functional.one_hot(targets, n_classes).to(outputs.dtype)
        log_p = torch.log_softmax(outputs, dim=1).masked_fill(targets == 1, -torch.inf)
        p = torch.exp(log_p - log_p.amax(dim=1, keepdim=True))
        others = p @ (1 - torch.eye(n_classes, dtype=p.dtype, device=p.device))
        return p * (1 - targets) - targets * others

    def gains(self, outputs: Outputs, labels: Labels | Numbers) -> PerExample:
        """Return what each example adds to the score: 1 where the class is right.

        The score is their sum over that of `most`.
        """
        return (outputs.argmax(dim=1) == labels).to(outputs.dtype)

    def most(self, labels: NDArray[np.int64] | NDArray[np.float32]) -> NDArray[np.float64]:
        """Return what each example can add to the score: 1 where the class is known."""
        return np.asarray(labels != UNKNOWN, dtype=np.float64)

    def others(self, targets: Targets, *, generator: torch.Generator) -> Targets:
        """Draw what a targeted attack aims at: a class other than the true (or heaviest) one."""
        n_classes = targets.shape[1]
        shift = torch.randint(
            1, n_classes, (len(targets),), generator=generator, device=targets.device
        )
        drawn = (targets.argmax(dim=1) + shift) % n_classes
        return functional.one_hot(drawn, n_classes).to(targets.dtype)


class Regression:
    """A standardised number, decoded as a Gaussian; the score is R2 against a mean of 0.

    The loss is the negative log-likelihood, each example's times its predicted variance, through
    which no gradient flows (M. Seitzer et al. 2022, arXiv:2203.09168, with beta = 1). So the mean
    is trained as by the squared error; with the bare likelihood, maps of which a decoder of few
    is unsure would stay unlearnt. An attack raises the likelihood's negative logarithm, whose
    direction is the same: the paper's attack makes the truth less probable, and so does this one.
    An attack on the squared error alone would have no direction where the mean is right.
    """

    score = "r2"

    def n_outputs(self, n_classes: int) -> int:
        """Return two, whatever maps there are."""
        return N_OUTPUTS

    def targets(self, labels: Labels | Numbers, n_outputs: int, *, dtype: torch.dtype) -> Targets:
        """Return rows of one number."""
        return labels[:, None].to(dtype)

    def loss(self, outputs: Outputs, targets: Targets) -> Tensor:
        """Return the negative log-likelihood times the variance, summed over examples."""
        variance = moments(outputs)[1].detach()
        return (variance * negative_log_likelihood(outputs, targets[:, 0])).sum()

    def validation_loss(self, outputs: Outputs, targets: Targets) -> Tensor:
        """Return the squared error of the mean, for the SD is calibrated afterwards."""
        return torch.square(outputs[:, 0] - targets[:, 0]).sum()

    def upward(self, outputs: Outputs, targets: Labels | Numbers | Targets) -> Outputs:
        """Return the gradient of the negative log-likelihood."""
        return likelihood_gradient(outputs, targets if targets.ndim == 1 else targets[:, 0])

    def gains(self, outputs: Outputs, labels: Labels | Numbers) -> PerExample:
        """Return by how much the squared error is less than that of 0."""
        return torch.square(labels) - torch.square(labels - outputs[:, 0])

    def most(self, labels: NDArray[np.int64] | NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the squared error of 0."""
        return np.asarray(np.square(labels), dtype=np.float64)

    def others(self, targets: Targets, *, generator: torch.Generator) -> Targets:
        """Raise a UsageError: a number has no other class to aim at."""
        raise UsageError("--attack is 'targeted', which needs classes; a number has none.")


Objective = Classification | Regression
CLASSES, NUMBER = Classification(), Regression()


def objective_of(maps: MapSet) -> Objective:
    """Return what decoders of these maps are trained for."""
    return CLASSES if maps.target is None else NUMBER
