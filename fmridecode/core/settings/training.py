"""What can be set about the training."""

from dataclasses import dataclass
from typing import Literal, get_args

from fmridecode.core.settings.checks import Auto, require, require_positive_or_auto
from fmridecode.options import option

TRAINING = "Training"

Scheme = Literal["standard", "random-noise", "adversarial", "pgd"]
Schedule = Literal["constant", "cosine"]
Attack = Literal["untargeted", "targeted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingConfig:
    """How the weights are found; the defaults are the paper's."""

    scheme: Scheme = option(
        "adversarial",
        "--training",
        help="Training scheme: plain, uniform noise in the ball, Algorithm 1 of the paper, or "
        "projected gradient descent for every update.",
        panel=TRAINING,
    )
    epsilon: float | Auto = option(
        0.1,
        "--epsilon",
        help="Bound of the noise in SD per voxel; times the square root of the number of voxels "
        "it is the radius of the L2 ball. auto: chosen on the validation participants of each "
        "fold, at four times the cost.",
        panel=TRAINING,
        metavar="SD",
    )
    steps: int = option(
        4,
        "--adversarial-steps",
        help="Hops per minibatch (adversarial) or attack steps per update (pgd).",
        panel=TRAINING,
        metavar="M",
    )
    attack: Attack = option(
        "untargeted",
        "--attack",
        help="Lower the probability of the true class, or raise that of another class, drawn for "
        "each map and minibatch; the latter needs a second pass per hop.",
        panel=TRAINING,
    )
    gradient_reuse: bool = option(
        True,
        "--gradient-reuse/--no-gradient-reuse",
        help="Take the direction of an untargeted attack from the pass that updates the weights, "
        "not from a second pass after the update.",
        panel=TRAINING,
    )
    pgd_step: float = option(
        1.0 / 32, "--pgd-step", help="Length of a pgd step, in SD per voxel.", panel=TRAINING
    )
    project_each_step: bool = option(
        True,
        "--project-each-step/--project-last-step",
        help="Project pgd noise onto the ball after each step or only after the last.",
        panel=TRAINING,
    )
    clean_every_second: bool = option(
        False,
        "--clean-every-second/--no-clean-every-second",
        help="Make every second pgd update one on clean maps (the authors' code).",
        panel=TRAINING,
    )
    epochs: int = option(
        12,
        "--epochs",
        help="Passes over the training maps, hops counted.",
        panel=TRAINING,
        metavar="N",
    )
    batch_size: int = option(
        32,
        "--batch-size",
        help="Maps per update; 0 takes all at once.",
        panel=TRAINING,
        metavar="N",
    )
    learning_rate: float = option(
        1e-3, "--learning-rate", help="Adam's learning rate.", panel=TRAINING
    )
    voxel_rate: float = option(
        0.0,
        "--voxel-rate",
        help="Learning rate of weights that multiply single voxels (the linear decoder, the "
        "linear path), divided by the number of voxels, so that it holds at every resolution; "
        "0 uses --learning-rate.",
        panel=TRAINING,
    )
    schedule: Schedule = option(
        "constant", "--schedule", help="Course of the learning rate.", panel=TRAINING
    )
    l2: float = option(
        1e-5, "--l2", help="Coefficient of the sum of squared weights.", panel=TRAINING
    )
    init_from: str = option(
        "",
        "--init-from",
        help="Start from the convolutional layers of this decoder (what --model can name, one "
        "bundle), with new weights after them; filters, halvings, pooling, coarsening and squash "
        "are then its own.",
        panel=TRAINING,
        metavar="MODEL",
    )
    freeze_layers: int = option(
        0,
        "--freeze-layers",
        help="With --init-from: convolutional layers, the first ones, that stay as they are.",
        panel=TRAINING,
        metavar="N",
    )
    transfer_rate: float = option(
        0.1,
        "--transfer-rate",
        help="With --init-from: factor on the learning rate of the layers that were taken over.",
        panel=TRAINING,
    )
    input_noise: float = option(
        0.0,
        "--input-noise",
        help="SD of Gaussian noise added to every training map, redrawn for every minibatch.",
        panel=TRAINING,
        metavar="SD",
    )
    mixup: bool = option(
        False,
        "--mixup/--no-mixup",
        help="Train on random mixtures of two maps and their classes.",
        panel=TRAINING,
    )

    def __post_init__(self) -> None:
        require(
            self.scheme in get_args(Scheme),
            "--training",
            self.scheme,
            "one of " + ", ".join(get_args(Scheme)),
        )
        require(
            self.schedule in get_args(Schedule),
            "--schedule",
            self.schedule,
            "one of " + ", ".join(get_args(Schedule)),
        )
        require(
            self.attack in get_args(Attack),
            "--attack",
            self.attack,
            "one of " + ", ".join(get_args(Attack)),
        )
        require(
            bool(self.init_from) or self.freeze_layers == 0,
            "--freeze-layers",
            self.freeze_layers,
            "0 without --init-from, whose layers it freezes",
        )
        require_positive_or_auto(self.epsilon, "--epsilon")
        for name, flag in (("steps", "--adversarial-steps"), ("epochs", "--epochs")):
            require(getattr(self, name) >= 1, flag, getattr(self, name), "1 or more")
        for name, flag in (
            ("pgd_step", "--pgd-step"),
            ("learning_rate", "--learning-rate"),
        ):
            require(getattr(self, name) > 0, flag, getattr(self, name), "a positive number")
        for name, flag in (
            ("voxel_rate", "--voxel-rate"),
            ("l2", "--l2"),
            ("input_noise", "--input-noise"),
            ("freeze_layers", "--freeze-layers"),
            ("transfer_rate", "--transfer-rate"),
            ("batch_size", "--batch-size"),
        ):
            require(getattr(self, name) >= 0, flag, getattr(self, name), "0 or more")
