"""The part of the methods text about how decoders and maps were judged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fmridecode.report.numbers import whole

if TYPE_CHECKING:
    from fmridecode.report.resolved import Settings


def evaluation_text(settings: Settings, group: Settings) -> tuple[str, ...]:
    """Return the paragraphs about evaluation; a setting that is not known is left out.

    Parameters
    ----------
    settings
        Of the run that decoded.
    group
        Of the run at the group level; without tables where there was none yet.
    """
    return (_decoding(settings), _faithfulness(settings), _stability(settings), _maps(group))


def _decoding(settings: Settings) -> str:
    sentences = [
        "Accuracy was tested by permutation of the labels within participants, the decoders’ "
        "outputs scored anew (one-sided; p as in Phipson & Smyth, 2010)."
    ]
    linear = settings.get("model", "architecture") == "linear"
    compared = settings.get("evaluation", "baseline") == "linear" and not linear
    if compared and not settings.get("given", "model"):
        sentences.append(
            "For comparison a multinomial linear decoder was trained on the same folds with the "
            "same settings, but without perturbations of the input; the differences in accuracy, "
            "balanced accuracy, log loss and Brier score were tested over participants by "
            "two-sided paired t-tests and by permutation of signs."
        )
    refits = settings.number("evaluation", "permutation_refits")
    if refits:
        which = "decoder" if linear else "linear decoder"
        sentences.append(
            f"The {which} was also trained anew on every fold for {whole(refits)} such "
            "permutations."
        )
    return " ".join(sentences)


def _faithfulness(settings: Settings) -> str:
    reach = settings.get("evaluation", "faithfulness")
    if reach not in ("quick", "full"):
        return ""
    smoothed = " or by the smoothed map" if reach == "full" else ""
    return (
        "Whether a map is faithful to the decoder was measured by deletion and insertion (Petsiuk "
        f"et al., 2018): voxels were replaced by 0{smoothed}, or put back, a tenth at a time, by "
        "magnitude of saliency and by signed saliency. The gain is the area between the curve of "
        "the calibrated probability of the true class and the same curve for voxels in random "
        "order, or in the order of a random map with the saliency map’s spectrum (Theiler et al., "
        "1992)."
    )


def _stability(settings: Settings) -> str:
    """Describe sanity, reliability and robustness."""
    sentences = []
    sanity = settings.get("evaluation", "sanity")
    if sanity in ("quick", "full"):
        labels = (
            ", and with those of decoders trained on labels permuted within participants"
            if sanity == "full" and not settings.get("given", "model")
            else ""
        )
        sentences.append(
            "Whether maps would survive random weights was tested by cascading randomisation of "
            "the decoder from the layer of the logits to the first (Adebayo et al., 2018): fresh "
            "initial weights with the trained weights’ root mean square. Each map was compared "
            f"with those of the randomised decoders{labels} by rank correlation over voxels, "
            "signed and of magnitudes, and by the contrast and structure terms of structural "
            "similarity (Wang et al., 2004) in three dimensions."
        )
    if settings.get("evaluation", "reliability") in ("quick", "full"):
        sentences.append(
            "Reliability of the maps was measured by their correlation between decoders of "
            "different seeds, between decoders of different folds (which have seen the "
            "participant in training or validation), between sessions where there were several, "
            "and with the mean map of the participants explained by other decoders; by split "
            "halves with Spearman-Brown correction; and by the largest relative change under "
            "uniform noise of at most 0.02 SD (Yeh et al., 2019)."
        )
    robustness = settings.get("evaluation", "robustness")
    if robustness in ("quick", "full"):
        steps = 20 if robustness == "full" else 5
        sentences.append(
            "Robustness is accuracy under projected gradient descent in the L2 ball (Madry et "
            f"al., 2018), {steps} steps, for bounds up to 0.2 SD per voxel."
        )
    return " ".join(sentences)


def _maps(group: Settings) -> str:
    sentences = []
    reach = group.get("evaluation", "group_statistics")
    changes = group.number("evaluation", "permutations")
    if reach in ("quick", "full") and changes:
        clusters = ", and of the size and mass of clusters" if reach == "full" else ""
        sentences.append(
            "Mean maps of the true classes were tested over participants by one-sample t, with "
            f"two-sided p values corrected for all voxels by the distribution of the maximum of "
            f"|t|{clusters} over {whole(changes)} random changes of sign (Winkler et al., 2014; "
            "nilearn)."
        )
    atlas = str(group.get("evaluation", "atlas") or "")
    if atlas:
        name = atlas.rpartition("/")[2]
        cite = " (Schaefer et al., 2018)" if name.startswith("Schaefer2018") else ""
        sentences.append(f"Parcels and the names of peaks are those of the atlas {name}{cite}.")
    return " ".join(sentences)
