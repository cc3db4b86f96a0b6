"""What can be set about the maps that explain a decision."""

from dataclasses import dataclass
from typing import Literal, get_args

from fmridecode.core.settings.checks import Auto, require, require_positive_or_auto
from fmridecode.options import option

SALIENCY = "Saliency"

Method = Literal["weights", "gradient", "gradient-x-input", "smoothgrad"]
FaithfulnessReach = Literal["off", "quick", "full"]
METHODS: tuple[str, ...] = get_args(Method)


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

    faithfulness: FaithfulnessReach = option(
        "quick",
        "--faithfulness",
        help="Test whether the decoder uses the voxels that a map marks, by replacing them with 0 "
        "(quick), also by the smoothed map (full), or not at all (off). quick takes 110 "
        "decodings per map and method.",
        panel=SALIENCY,
    )

    def __post_init__(self) -> None:
        require(bool(self.methods), "--saliency", self.methods, "at least one method")
        for method in self.methods:
            require(method in METHODS, "--saliency", method, "one of " + ", ".join(METHODS))
        require(
            self.faithfulness in get_args(FaithfulnessReach),
            "--faithfulness",
            self.faithfulness,
            "off, quick or full",
        )
        require_positive_or_auto(self.smoothgrad_sigma, "--smoothgrad-sigma")
        require(
            self.smoothgrad_samples > 0,
            "--smoothgrad-samples",
            self.smoothgrad_samples,
            "1 or more",
        )
