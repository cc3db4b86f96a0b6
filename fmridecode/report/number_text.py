"""The methods text where a number was decoded; what the config does not say is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.numbers import enumeration

if TYPE_CHECKING:
    from fmridecode.report.resolved import Settings

STATISTICS = (
    "A participant’s prediction was the mean over those of the participant’s maps. R² was taken "
    "against the mean of the training participants of each fold. R², mean absolute error and "
    "correlation were tested by permutation of the participants’ numbers (one-sided; p as in "
    "Phipson & Smyth, 2010). Confidence intervals are 95 % percentile bootstrap intervals over "
    "participants."
)


def objective_text(target: str) -> str:
    """Say what the decoder was trained for."""
    return (
        f"It decoded {target}, standardised by the training participants, as a Gaussian: one "
        "output was the mean and one the variance, which was bounded below at a hundredth of the "
        "training participants’ variance. The loss was the negative log-likelihood, weighted by "
        "the predicted variance (Seitzer et al., 2022). Perturbations ascended the negative "
        "log-likelihood of the true value, as those of McClure et al., 2020, descend the "
        "probability of the true class."
    )


def calibration_text() -> str:
    """Say what the validation participants chose."""
    return (
        "choose the epoch by the squared error and one factor on the predicted SDs by the "
        "likelihood."
    )


def baseline_text(settings: Settings) -> str:
    """Say what the decoder was compared with."""
    if settings.get("evaluation", "baseline") != "linear" or settings.get("given", "model"):
        return ""
    return (
        "For comparison, ridge regression was fitted to the same maps on the same folds, its "
        "penalty chosen by the same validation participants."
    )


def saliency_text(settings: Settings, target: str) -> str:
    """Say how maps were made and what they were held against."""
    samples, sigma = (
        settings.number("saliency", f"smoothgrad_{key}") for key in ("samples", "sigma")
    )
    drawn = f"; {samples:g} copies, noise SD {sigma:g}" if samples and sigma else ""
    titles = {
        "weights": "the weights of the linear decoder",
        "gradient": f"the gradient of the predicted {target} (Simonyan et al., 2013)",
        "gradient-x-input": "the gradient times the input (Shrikumar et al., 2016)",
        "smoothgrad": f"SmoothGrad (Smilkov et al., 2017{drawn})",
    }
    methods = settings.get("saliency", "methods") or ()
    described = [titles.get(str(each), str(each)) for each in methods]
    opening = (
        f"Signed saliency maps were computed as {enumeration(described)}. " if methods else ""
    )
    return (
        f"{opening}Their alignment was the correlation, over voxels, with the slope of the maps "
        f"on {target} over the participants whom the same decoder was tested on, tested by "
        "exchange of the numbers between them. Alignment is not faithfulness to the decoder "
        "(Thomas et al., 2023)."
    )
