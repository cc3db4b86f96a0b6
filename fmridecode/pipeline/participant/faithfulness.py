"""How faithful a participant's saliency maps are to the decoder."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from fmridecode.core.faithfulness import area, curves, phase_randomised, ranks, smoothed
from fmridecode.core.settings import Reach
from fmridecode.core.trained import TrainedDecoder

STEPS = 10
SMOOTHING = 8.0
"""SD of the smoothing of the replacement, in mm."""
ORDERS = ("absolute", "signed")

FAITHFULNESS_DICTIONARY = {
    "participant_id": "Participant.",
    "session_id": "Session, n/a where the data set has none.",
    "label": "True class of the map; its saliency is what is tested.",
    "method": "Saliency method.",
    "order": "absolute: voxels from the largest to the smallest magnitude of saliency. signed: "
    "from the most positive to the most negative.",
    "replacement": "zero: voxels become 0, their mean over the map. smoothed: they become the map "
    f"smoothed with an SD of {SMOOTHING:g} mm.",
    "curve": "deletion: voxels are replaced one tenth after the other. insertion: all are "
    "replaced, and put back.",
    "area": "Mean calibrated probability of the true class along the curve.",
    "area_random": "The same with the voxels in random order.",
    "area_smooth": "The same in the order of a random map with the spectrum of the saliency map.",
    "gain_random": "How much more faithful than the random order: the difference of the areas, "
    "positive where the probability falls, or returns, sooner.",
    "gain_smooth": "The same against the random map with the spectrum of the saliency map.",
}


def faithfulness_rows(
    decoder: TrainedDecoder,
    x: torch.Tensor,
    saliency: NDArray[np.floating],
    label: int,
    *,
    reach: Reach,
    generator: np.random.Generator,
) -> Iterator[dict[str, object]]:
    """Yield the areas of one map's saliency: one row per order, replacement and curve.

    The first draw of the generator is the random order, so that generators of the same seed give
    all methods the same one.

    Parameters
    ----------
    x, saliency
        ``grid``.
    label
        The class explained.
    """
    mask = decoder.model.mask.cpu().numpy()
    random = ranks(generator.random(int(mask.sum())))
    smooth = phase_randomised(np.where(mask, saliency, 0.0), generator=generator)[mask]
    inside = saliency[mask]
    places = np.stack(
        [ranks(np.abs(inside)), ranks(inside), random, ranks(np.abs(smooth)), ranks(smooth)]
    )
    replacements = {"zero": torch.zeros_like(x)}
    if reach == "full":
        sigma = SMOOTHING / float(abs(np.linalg.det(decoder.grid.matrix[:3, :3])) ** (1 / 3))
        values = smoothed(x.cpu().numpy(), mask, sigma=sigma)
        replacements["smoothed"] = torch.from_numpy(values).to(x)
    for replacement, by in replacements.items():
        for curve, sign in (("deletion", -1), ("insertion", 1)):
            logits = curves(
                decoder.model, x, by, places, steps=STEPS, insertion=curve == "insertion"
            )
            p = torch.softmax(logits.double() / decoder.temperature, dim=2)[..., label]
            areas = area(p.cpu().numpy())
            for k, order in enumerate(ORDERS):
                own, against, alike = (float(areas[each]) for each in (k, 2, 3 + k))
                yield {
                    "order": order,
                    "replacement": replacement,
                    "curve": curve,
                    "area": own,
                    "area_random": against,
                    "area_smooth": alike,
                    "gain_random": sign * (own - against),
                    "gain_smooth": sign * (own - alike),
                }
