"""What can be set about the network."""

from dataclasses import dataclass
from typing import Literal, get_args

from fmridecode.core.settings.checks import require
from fmridecode.options import option

DECODER = "Decoder"

Architecture = Literal["linear", "correlation", "cln", "cnn", "cnn-stride1", "dense"]


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
        "--seeds",
        help="Decoders of different seeds per fold, whose logits are averaged; predictions.tsv "
        "says how far they disagree.",
        panel=DECODER,
        metavar="N",
    )

    def __post_init__(self) -> None:
        require(
            self.architecture in get_args(Architecture),
            "--architecture",
            self.architecture,
            "one of " + ", ".join(get_args(Architecture)),
        )
        require(
            bool(self.filters) and min(self.filters) > 0,
            "--filters",
            self.filters,
            "one positive number per layer",
        )
        require(self.halvings >= 0, "--halvings", self.halvings, "0 or more")
        require(
            self.pooling in ("average", "stride"), "--pooling", self.pooling, "average or stride"
        )
        require(self.coarsen_from >= 0, "--coarsen-from", self.coarsen_from, "0 or more")
        require(self.gain > 0, "--gain", self.gain, "a positive number")
        require(self.hidden > 0, "--hidden", self.hidden, "1 or more")
        require(self.squash >= 0, "--squash", self.squash, "0 or more")
        require(
            self.dense_init in ("glorot", "zero"),
            "--dense-init",
            self.dense_init,
            "glorot or zero",
        )
        require(self.ensemble > 0, "--ensemble", self.ensemble, "1 or more")
