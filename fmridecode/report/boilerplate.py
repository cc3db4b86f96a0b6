"""The methods text, filled from the resolved config; what the config does not say is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fmridecode.report.decoder_text import decoder_text, given_text
from fmridecode.report.evaluation_text import evaluation_text
from fmridecode.report.number_text import (
    STATISTICS,
    baseline_text,
    calibration_text,
    objective_text,
    saliency_text,
)
from fmridecode.report.numbers import count, enumeration

if TYPE_CHECKING:
    from fmridecode.report.resolved import Settings

_STATISTICS = (
    "Confidence intervals are 95 % percentile bootstrap intervals over participants. "
    "Saliency methods were compared by two-sided paired t-tests over participants’ means, "
    "Bonferroni-corrected over all pairs of methods."
)
_TEMPERATURE = (
    "choose the epoch and to calibrate the probabilities by temperature scaling (Guo et al., "
    "2017)."
)
_SOFTWARE = (
    "fmridecode finds maps with PyBIDS (Yarkoni et al., 2019), trains with PyTorch (Paszke et "
    "al., 2019) and computes metrics and tests with scikit-learn (Pedregosa et al., 2011) and "
    "SciPy (Virtanen et al., 2020)."
)
_TEMPLATES = {
    "MNI152NLin2009cAsym": "Fonov et al., 2009",
    "MNI152NLin2009aSym": "Fonov et al., 2009",
    "MNI152NLin6Asym": "Evans et al., 2012",
}


def boilerplate(
    settings: Settings,
    *,
    group: Settings,
    given: Mapping[str, Any],
    version: str,
    n_participants: int | None,
    n_maps: int | None,
    classes: tuple[str, ...],
    target: str = "",
) -> tuple[str, ...]:
    """Return the paragraphs of the methods text.

    Parameters
    ----------
    settings
        The resolved config of the run that decoded.
    group
        That of the group level.
    given
        What is recorded of a decoder that was given instead of trained; empty when none was.
    version
        Of fmridecode; empty when not recorded.
    n_participants, n_maps, classes
        What was decoded; None or empty when not known.
    target
        The number that was decoded; empty where classes were.
    """
    decoder = decoder_text(settings) + (f" {objective_text(target)}" if target else "")
    validation = _validation(settings, calibration_text() if target else _TEMPERATURE)
    trained = (decoder, validation) if not given else (given_text(given),)
    if target:
        return (
            _data(settings, version, n_participants, n_maps, classes),
            *trained,
            baseline_text(settings),
            saliency_text(settings, target),
            STATISTICS,
            _SOFTWARE,
        )
    return (
        _data(settings, version, n_participants, n_maps, classes),
        *trained,
        _saliency(settings),
        *evaluation_text(settings, group),
        _STATISTICS,
        _SOFTWARE,
    )


def _data(
    settings: Settings,
    version: str,
    n_participants: int | None,
    n_maps: int | None,
    classes: tuple[str, ...],
) -> str:
    sentences = []
    if n_participants is not None and n_maps is not None:
        what = f"{count(len(classes), 'condition')} ({enumeration(classes)})" if classes else ""
        sentences.append(
            f"{count(n_maps, 'first-level statistical map')} of "
            f"{count(n_participants, 'participant')}" + (f" in {what}" if what else "") + " were "
            f"decoded with {f'fmridecode {version}'.strip()}, a BIDS App (Gorgolewski et al., "
            "2016) that implements the method of McClure et al., 2020."
        )
    space, resolution = settings.get("space", "space"), settings.number("space", "resolution")
    if space and resolution:
        cite = f" ({_TEMPLATES[space]})" if space in _TEMPLATES else ""
        sentences.append(
            f"Maps were resampled with nilearn (Abraham et al., 2014) to the {resolution:g} mm "
            f"grid of the template {space}{cite}, from TemplateFlow (Ciric et al., 2022)."
        )
    covers = {"brain": "within the brain mask", "volume": "over the whole volume"}
    zscore = covers.get(str(settings.get("space", "zscore")))
    if zscore:
        sentences.append(f"Each map was z-scored by itself, {zscore}.")
    return " ".join(sentences)


def _validation(settings: Settings, chosen: str) -> str:
    sentences = []
    folds = settings.number("split", "folds")
    if settings.get("split", "holdout"):
        sentences.append(
            "Participants were split once into 80 % for training, 10 % for validation and 10 % "
            "for testing."
        )
    elif folds:
        share = settings.number("split", "validation_share")
        chose = f" ({100 * share:g} % of the training participants)" if share else ""
        sentences.append(
            f"Decoders were cross-validated over participants in {count(folds, 'fold')}: every "
            "participant was decoded and explained by a decoder that had not seen any of the "
            f"participant’s maps. Within each fold, further participants{chose} were held out to "
            f"{chosen}"
        )
    column = settings.get("split", "group_column")
    if column:
        sentences.append(
            f"Participants with the same {column} were kept in the same part of each split."
        )
    seed = settings.number("execution", "random_seed")
    if seed is not None:
        sentences.append(f"The random seed was {seed:g}.")
    return " ".join(sentences)


def _saliency(settings: Settings) -> str:
    asked = settings.get("saliency", "methods") or ()
    methods = [each for each in asked if each != "hessian"]
    samples, sigma = (
        settings.number("saliency", f"smoothgrad_{key}") for key in ("samples", "sigma")
    )
    drawn = f"; {samples:g} copies, noise SD {sigma:g}" if samples and sigma else ""
    titles = {
        "weights": "the weights of the linear decoder",
        "gradient": "the gradient of the class’s probability (Simonyan et al., 2013)",
        "gradient-x-input": "the gradient times the input (Shrikumar et al., 2016)",
        "smoothgrad": f"SmoothGrad (Smilkov et al., 2017{drawn})",
    }
    described = [titles.get(str(each), str(each)) for each in methods]
    opening = (
        f"Signed saliency maps were computed as {enumeration(described)}. " if methods else ""
    )
    if "hessian" in asked:
        opening += _interactions(settings)
    whose = "The maps’" if "hessian" in asked else "Their"
    if asked and not methods:
        return opening.strip()
    return (
        f"{opening}{whose} alignment with activation was measured as in McClure et al., 2020: "
        "class informative activation (CIA) is the correlation of the true class’s map with the "
        "participant’s activation in that class minus the mean over classes; class activation "
        "difference (CAD) is the correlation of another class’s map with that class’s activation "
        "minus the true one’s, averaged over the other classes. Alignment is not faithfulness to "
        "the decoder (Thomas et al., 2023)."
    )


def _interactions(settings: Settings) -> str:
    atlas = str(settings.get("evaluation", "atlas") or "").rpartition("/")[2]
    of = f" of the atlas {atlas}" if atlas else ""
    return (
        f"How the parcels{of} interact in the decoder was computed as the second derivative of "
        "the log-odds of the class with respect to raising all voxels of one parcel and all of "
        "another, by Hessian-vector products; for that, rectified units were replaced by "
        "softplus (Dombrowski et al., 2019). "
    )
