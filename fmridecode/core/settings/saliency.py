"""What can be set about the maps that explain a decision."""

from dataclasses import dataclass
from typing import Literal, get_args

from fmridecode.core.settings.checks import Auto, require, require_positive_or_auto
from fmridecode.options import option

SALIENCY = "Saliency"

Method = Literal["weights", "gradient", "gradient-x-input", "smoothgrad", "hessian"]
METHODS: tuple[str, ...] = get_args(Method)
HESSIAN = "hessian"
"""The method that makes a matrix of parcels instead of a map."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaliencyConfig:
    """Which maps explain a decision."""

    methods: tuple[Method, ...] = option(
        ("gradient", "gradient-x-input", "smoothgrad"),
        "--saliency",
        help="Methods: gradient, gradient-x-input, smoothgrad; weights for linear decoders; "
        "hessian for how the parcels of --atlas interact, a matrix instead of a map.",
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

    @property
    def map_methods(self) -> tuple[Method, ...]:
        """The methods that make maps."""
        return tuple(method for method in self.methods if method != HESSIAN)

    def __post_init__(self) -> None:
        require(bool(self.methods), "--saliency", self.methods, "at least one method")
        for method in self.methods:
            require(method in METHODS, "--saliency", method, "one of " + ", ".join(METHODS))
        require_positive_or_auto(self.smoothgrad_sigma, "--smoothgrad-sigma")
        require(
            self.smoothgrad_samples > 0,
            "--smoothgrad-samples",
            self.smoothgrad_samples,
            "1 or more",
        )
