"""What can be set about how decoders and maps are judged beyond accuracy and alignment."""

from dataclasses import dataclass
from typing import Literal, get_args

from fmridecode.core.settings.checks import require
from fmridecode.options import option

EVALUATION = "Evaluation"

Baseline = Literal["linear", "off"]
Panels = Literal["off", "typical", "all"]
Reach = Literal["off", "quick", "full"]
REACHES = ("faithfulness", "sanity", "reliability", "robustness", "group_statistics")
"""Fields of `EvaluationConfig` that say how thoroughly something is measured."""


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
    permutation_refits: int = option(
        0,
        "--permutation-refits",
        help="Permutations of the labels for which the linear decoder (the decoder itself, or the "
        "baseline) is trained anew on every fold, to test its accuracy; 0 for none. Takes as long "
        "as that many trainings; 999 gives p values down to 0.001.",
        panel=EVALUATION,
        metavar="N",
    )
    faithfulness: Reach = option(
        "quick",
        "--faithfulness",
        help="Test whether the decoder uses the voxels that a map marks, by replacing them with 0 "
        "in one map per participant (quick), in all maps and also by the smoothed map (full), or "
        "not at all (off). quick takes 94 decodings per participant and method.",
        panel=EVALUATION,
    )
    sanity: Reach = option(
        "quick",
        "--sanity",
        help="Test whether maps would survive random weights, layer by layer from the last: one "
        "map per participant with few noisy copies of SmoothGrad (quick), all maps, five draws "
        "of weights, and decoders trained on permuted labels, which doubles the training "
        "(full), or not at all (off).",
        panel=EVALUATION,
    )
    reliability: Reach = option(
        "quick",
        "--reliability",
        help="Measure how alike maps are between seeds, folds, sessions and participants, and "
        "how much tiny noise changes them: one map per participant with few noisy copies of "
        "SmoothGrad (quick), all maps (full), or not at all (off).",
        panel=EVALUATION,
    )
    robustness: Reach = option(
        "quick",
        "--robustness",
        help="Measure accuracy under attacks of growing strength, of 5 steps (quick), of 20 "
        "(full), or not at all (off).",
        panel=EVALUATION,
    )
    panels: Panels = option(
        "typical",
        "--panels",
        help="Keep the maps of every class given the same example, beside the activation that "
        "they should resemble: for a typical participant of each class, where nobody is asked "
        "for by name; for all that are asked for; or not (off). all writes as many maps an "
        "example as there are methods and one, times classes.",
        panel=EVALUATION,
    )
    group_statistics: Reach = option(
        "quick",
        "--group-statistics",
        help="Test whether saliency is consistent over participants, by t maps and permutations "
        "corrected over voxels: SmoothGrad, or the first method there is (quick), every method "
        "and clusters too (full), or not at all (off).",
        panel=EVALUATION,
    )
    permutations: int = option(
        1000,
        "--permutations",
        help="Random changes of the participants' signs for --group-statistics.",
        panel=EVALUATION,
        metavar="N",
    )
    atlas: str = option(
        "",
        "--atlas",
        help="Atlas for parcel means, the names of peaks and --saliency hessian: one of "
        "TemplateFlow, such as Schaefer2018:400Parcels7Networks, or a NIfTI file with a .tsv "
        "(index, name) beside it.",
        panel=EVALUATION,
        metavar="NAME[:DESC]|FILE",
    )

    def __post_init__(self) -> None:
        require(self.panels in get_args(Panels), "--panels", self.panels, "off, typical or all")
        require(
            self.permutation_refits >= 0,
            "--permutation-refits",
            self.permutation_refits,
            "0 or more",
        )
        require(self.baseline in get_args(Baseline), "--baseline", self.baseline, "linear or off")
        for name in REACHES:
            value, flag = getattr(self, name), "--" + name.replace("_", "-")
            require(value in get_args(Reach), flag, value, "off, quick or full")
        require(self.permutations >= 100, "--permutations", self.permutations, "100 or more")
