"""What can be set about the decoder, its training, the splits and the saliency maps.

Kept apart from the components themselves so that ``--help`` need not import torch.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from fmridecode.errors import UsageError
from fmridecode.options import option

DECODER = "Decoder"
TRAINING = "Training"
SPLIT = "Cross-validation"
SALIENCY = "Saliency"

Architecture = Literal["linear", "correlation", "cln", "cnn", "cnn-stride1", "dense"]
Scheme = Literal["standard", "random-noise", "adversarial", "pgd"]
Schedule = Literal["constant", "cosine"]
Attack = Literal["untargeted", "targeted"]
Auto = Literal["auto"]
AUTO: Auto = "auto"
"""Stands for a number that is to be chosen on validation participants."""
Method = Literal["weights", "gradient", "gradient-x-input", "smoothgrad"]
METHODS: tuple[str, ...] = get_args(Method)


def _require(condition: bool, name: str, value: object, expected: str) -> None:
    if not condition:
        raise UsageError(f"{name} is {value!r}; expected {expected}.")


def chosen(value: float | Auto, name: str) -> float:
    """Return a number that may have been left to choose, once it is chosen.

    Raises
    ------
    UsageError
        When it is still ``auto``.
    """
    if value == AUTO:
        raise UsageError(f"{name} is auto and not chosen yet; give a number.")
    return float(value)


def _require_positive_or_auto(value: float | Auto, name: str) -> None:
    good = value == AUTO if isinstance(value, str) else value > 0
    _require(good, name, value, "a positive number, or auto")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """The network; the defaults are Table 2 of the paper."""

    architecture: Architecture = option(
        "cnn",
        "--architecture",
        help="Kind of decoder: linear, correlation with class means, convolutional linear (cln), "
        "convolutional (cnn, pools with stride 2; cnn-stride1, the paper's own), one dense "
        "hidden layer.",
        panel=DECODER,
    )
    filters: tuple[int, ...] = option(
        (32, 32, 64, 64, 64),
        "--filters",
        help="Filters of each convolutional layer.",
        panel=DECODER,
        metavar="N...",
    )
    halvings: int = option(
        5,
        "--halvings",
        help="Layers (the first ones) whose pooling halves the grid; the others pool with "
        "stride 1. Lowered for grids too small to bear it.",
        panel=DECODER,
        metavar="N",
    )
    pooling: Literal["average", "stride"] = option(
        "average",
        "--pooling",
        help="How a layer halves the grid: by averaging, or by a convolution of width 4 and "
        "stride 2, which is several times as fast on a CPU.",
        panel=DECODER,
    )
    gain: float = option(
        0.25, "--gain", help="Initial gain of the weight-normalised filters.", panel=DECODER
    )
    hidden: int = option(
        20, "--hidden", help="Units of the dense architecture's hidden layer.", panel=DECODER
    )
    coarsen_from: int = option(
        0,
        "--coarsen-from",
        help="Halve the maps before the convolutions while their shortest axis has at least this "
        "many voxels; 0 never. The linear path keeps every voxel.",
        panel=DECODER,
        metavar="N",
    )
    linear_path: bool = option(
        False,
        "--linear-path/--no-linear-path",
        help="Add a linear path from the input to the logits beside the convolutions.",
        panel=DECODER,
    )
    dense_init: Literal["glorot", "zero"] = option(
        "glorot",
        "--dense-init",
        help="Initial weights of the dense layers that make the logits: Glorot-uniform, or zero, "
        "which leaves no random pattern in the saliency of decoders trained on few maps.",
        panel=DECODER,
    )
    squash: float = option(
        0.0,
        "--squash",
        help="Bend voxels beyond about this many SD towards it (s * tanh(x / s)) before a "
        "convolutional decoder sees them; 0 leaves the maps as they are.",
        panel=DECODER,
        metavar="SD",
    )
    ensemble: int = option(
        1,
        "--ensemble",
        help="Decoders of different seeds per fold, whose logits are averaged.",
        panel=DECODER,
        metavar="N",
    )

    def __post_init__(self) -> None:
        _require(
            self.architecture in get_args(Architecture),
            "--architecture",
            self.architecture,
            "one of " + ", ".join(get_args(Architecture)),
        )
        _require(
            bool(self.filters) and min(self.filters) > 0,
            "--filters",
            self.filters,
            "one positive number per layer",
        )
        _require(self.halvings >= 0, "--halvings", self.halvings, "0 or more")
        _require(
            self.pooling in ("average", "stride"), "--pooling", self.pooling, "average or stride"
        )
        _require(self.coarsen_from >= 0, "--coarsen-from", self.coarsen_from, "0 or more")
        _require(self.gain > 0, "--gain", self.gain, "a positive number")
        _require(self.hidden > 0, "--hidden", self.hidden, "1 or more")
        _require(self.squash >= 0, "--squash", self.squash, "0 or more")
        _require(
            self.dense_init in ("glorot", "zero"),
            "--dense-init",
            self.dense_init,
            "glorot or zero",
        )
        _require(self.ensemble > 0, "--ensemble", self.ensemble, "1 or more")


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
        _require(
            self.scheme in get_args(Scheme),
            "--training",
            self.scheme,
            "one of " + ", ".join(get_args(Scheme)),
        )
        _require(
            self.schedule in get_args(Schedule),
            "--schedule",
            self.schedule,
            "one of " + ", ".join(get_args(Schedule)),
        )
        _require(
            self.attack in get_args(Attack),
            "--attack",
            self.attack,
            "one of " + ", ".join(get_args(Attack)),
        )
        _require_positive_or_auto(self.epsilon, "--epsilon")
        for name, flag in (("steps", "--adversarial-steps"), ("epochs", "--epochs")):
            _require(getattr(self, name) >= 1, flag, getattr(self, name), "1 or more")
        for name, flag in (
            ("pgd_step", "--pgd-step"),
            ("learning_rate", "--learning-rate"),
        ):
            _require(getattr(self, name) > 0, flag, getattr(self, name), "a positive number")
        for name, flag in (
            ("voxel_rate", "--voxel-rate"),
            ("l2", "--l2"),
            ("input_noise", "--input-noise"),
            ("batch_size", "--batch-size"),
        ):
            _require(getattr(self, name) >= 0, flag, getattr(self, name), "0 or more")


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
        _require(self.folds >= 2, "--folds", self.folds, "2 or more")
        _require(
            0 < self.validation_share < 1,
            "--validation-share",
            self.validation_share,
            "a share between 0 and 1",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SaliencyConfig:
    """Which maps explain a decision."""

    methods: tuple[Method, ...] = option(
        ("gradient", "gradient-x-input", "smoothgrad"),
        "--saliency",
        help="Methods: gradient, gradient-x-input, smoothgrad; weights for linear decoders.",
        panel=SALIENCY,
        metavar="METHOD...",
    )
    target: str = option(
        "true",
        "--target",
        help="Class whose probability is explained in the written maps: true, predicted, all, "
        "or a difference of two classes A>B. Scores always cover all classes.",
        panel=SALIENCY,
        metavar="TARGET",
    )
    smoothgrad_sigma: float | Auto = option(
        2.0,
        "--smoothgrad-sigma",
        help="SD of SmoothGrad's noise. auto: chosen on the validation participants of each fold.",
        panel=SALIENCY,
        metavar="SD",
    )
    smoothgrad_samples: int = option(
        20,
        "--smoothgrad-samples",
        help="Noisy copies that SmoothGrad averages.",
        panel=SALIENCY,
        metavar="N",
    )

    def __post_init__(self) -> None:
        _require(bool(self.methods), "--saliency", self.methods, "at least one method")
        for method in self.methods:
            _require(method in METHODS, "--saliency", method, "one of " + ", ".join(METHODS))
        _require_positive_or_auto(self.smoothgrad_sigma, "--smoothgrad-sigma")
        _require(
            self.smoothgrad_samples > 0,
            "--smoothgrad-samples",
            self.smoothgrad_samples,
            "1 or more",
        )
