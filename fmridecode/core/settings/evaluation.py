"""What can be set about how decoders and maps are judged beyond accuracy and alignment."""

from dataclasses import dataclass
from typing import Literal, get_args

from fmridecode.core.settings.checks import require
from fmridecode.options import option

EVALUATION = "Evaluation"

Baseline = Literal["linear", "off"]
Reach = Literal["off", "quick", "full"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationConfig:
    """What is measured of every decoder and its maps, and how thoroughly."""

    baseline: Baseline = option(
        "linear",
        "--baseline",
        help="Decoder to compare with: a linear one, trained without perturbations on the same "
        "folds (seconds to minutes), or none. A decoder that is linear itself needs none.",
        panel=EVALUATION,
    )
    faithfulness: Reach = option(
        "quick",
        "--faithfulness",
        help="Test whether the decoder uses the voxels that a map marks, by replacing them with 0 "
        "(quick), also by the smoothed map (full), or not at all (off). quick takes 110 "
        "decodings per map and method.",
        panel=EVALUATION,
    )

    def __post_init__(self) -> None:
        require(self.baseline in get_args(Baseline), "--baseline", self.baseline, "linear or off")
        for name in ("faithfulness",):
            value = getattr(self, name)
            require(value in get_args(Reach), f"--{name}", value, "off, quick or full")
